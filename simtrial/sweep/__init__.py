"""One trial over a grid of its parameters."""
