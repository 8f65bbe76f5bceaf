"""The search for designs with three looks."""
