"""What hatchling asks while it builds a wheel: what goes into it besides the modules of the package."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BILL = "sbom.cdx.json"
"""The file beside pyproject.toml; `twice.py` makes it, and the source distribution holds it."""

SHIPPED = ("notebooks", "params", "tests/reference", "requirements.lock")
"""What the package reads and a clone keeps at its top level; `simtrial.project` says where it is found."""


class Shipped(BuildHookInterface):
    """An installation from a clone gets no copies: the files stand beside the package."""

    def initialize(self, version, build_data):
        """Name the files, and the bill of materials where one was made (PEP 770)."""
        if version == "standard":
            build_data["force_include"] |= {name: f"simtrial/shipped/{name}" for name in SHIPPED}
            if (Path(self.root) / BILL).is_file():
                build_data["sbom_files"].append(BILL)
