"""The figures of a campaign: how many faults of each kind were tried, and how many ended as they should."""

from dataclasses import dataclass, field


@dataclass
class Figure:
    """One kind of fault.

    Attributes
    ----------
    kind : str
        Its name on the command line.
    what : str
        What is tried, in words.
    tried : int
        How many.
    failed : list of (str, str)
        Those that did not end as they should: which, and what was wrong.
    longest : float
        Seconds until the slowest had ended.
    """

    kind: str
    what: str
    tried: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    longest: float = 0.0

    @property
    def good(self):
        return self.tried - len(self.failed)

    def add(self, name, wrong, seconds=0.0):
        """Note one try: what was wrong with it, or nothing."""
        self.tried += 1
        self.longest = max(self.longest, seconds)
        if wrong:
            self.failed.append((name, wrong))


def table(figures):
    """The figures as text, a line per kind."""
    rows = [("kind", "what was tried", "tried", "as expected", "longest")]
    rows += [(f.kind, f.what, str(f.tried), str(f.good), f"{f.longest:.1f} s" if f.longest else "") for f in figures]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(str.ljust(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:]])


def repeats(figures, seed, minutes):
    """How to repeat each kind that did not end as it should."""
    return [
        f"{f.kind} {name}: {wrong}\n    python tests/faults/campaign.py --only {f.kind} --case {name} --seed {seed} "
        f"--minutes {minutes:g}"
        for f in figures
        for name, wrong in f.failed
    ]
