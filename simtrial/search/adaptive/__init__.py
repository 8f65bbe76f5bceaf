"""Adaptive two-stage designs as a family: `simtrial.search.branching` searches them."""
