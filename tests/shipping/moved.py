"""Print which packages of this environment are newer or older than the lock: what a failure may come from.

python tests/shipping/moved.py
"""

import re
from importlib import metadata
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"


def main():
    """Print one line."""
    locked = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", LOCK.read_text(encoding="utf-8"), flags=re.M):
        locked.setdefault(name, set()).add(version)
    here = {re.sub(r"[-_.]+", "-", one.name).lower(): one.version for one in metadata.distributions()}
    moved = [f"{name} {here[name]}" for name in sorted(locked.keys() & here) if here[name] not in locked[name]]
    print(f"Other versions than in the lock: {', '.join(moved) or 'none'}")


if __name__ == "__main__":
    main()
