"""What hatchling asks while it builds a wheel: the bill of materials goes into it, where one has been made."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BILL = "sbom.cdx.json"
"""The file beside pyproject.toml; `twice.py` makes it, and the source distribution holds it."""


class Bill(BuildHookInterface):
    """An installation from a clone has no bill: the lock stands beside it."""

    def initialize(self, version, build_data):
        """Name the bill (PEP 770)."""
        if version == "standard" and (Path(self.root) / BILL).is_file():
            build_data["sbom_files"].append(BILL)
