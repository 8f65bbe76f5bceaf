"""Two-stage designs whose second stage depends on the first (adaptive designs), with the least expected sample size."""

from simtrial.search.branching.found import BranchingFound, Restrictions
from simtrial.search.branching.solution import as_branching, search, with_cap

__all__ = ["BranchingFound", "Restrictions", "as_branching", "search", "with_cap"]
