"""The bill of materials: every pin of the lock with its hashes, as CycloneDX.

    python tests/shipping/bill.py [--out dist]

cyclonedx-py reads the lock. What it cannot know is added: the version of the package, and which pins the package itself
asks for. It writes the address of an index beside each pin; nobody who installs here need use that index, so the name
of the package stands there instead (its package URL).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def version(root: Path) -> str:
    """The version that the package states."""
    return re.findall(r'^__version__ = "(.+)"', (root / "simtrial/__init__.py").read_text(encoding="utf-8"), re.M)[0]


def canonical(name: str) -> str:
    """A name as the lock writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bill(root: Path) -> dict[str, object]:
    """Give the bill of the lock of a clone.

    Raises
    ------
    SystemExit
        If it does not follow the scheme of CycloneDX.
    """
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "bill.json"
        command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "--short-PURLs"]
        command += ["--output-reproducible", "--no-validate", "--sv", "1.6", "-o", str(raw)]
        command += ["--pyproject", str(root / "pyproject.toml"), str(root / "requirements.lock")]
        subprocess.run(command, check=True, capture_output=True)
        found = json.loads(raw.read_text(encoding="utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {canonical(re.match(r"[\w.-]+", line)[0]) for line in project["dependencies"]}
    main = found["metadata"]["component"]
    main["version"], main["purl"] = version(root), f"pkg:pypi/{project['name']}@{version(root)}"
    for part in found["components"]:
        part.pop("description", None)  # the line of the lock, which repeats what stands below
        for reference in part["externalReferences"]:
            reference["url"] = part["purl"]
    for tool in found["metadata"].get("tools", {}).get("components", ()):
        tool.pop("externalReferences", None)  # pages about the tool, which tell nothing of the package
    direct = sorted(part["bom-ref"] for part in found["components"] if canonical(part["name"]) in asked)
    found["dependencies"] = [{"ref": main["bom-ref"], "dependsOn": direct}]
    found["dependencies"] += [{"ref": part["bom-ref"]} for part in found["components"]]
    return checked(found)


def checked(found: dict[str, object]) -> dict[str, object]:
    """Give back a bill that follows the scheme."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(found))
    if fault is not None:
        raise SystemExit(f"the bill of materials does not follow CycloneDX 1.6: {fault}")
    return found


def written(root: Path, target: Path) -> None:
    """Write the bill of a clone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(root), indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    target = parser.parse_args().out / f"simtrial_orr-{version(ROOT)}.cdx.json"
    written(ROOT, target)
    print(target)
