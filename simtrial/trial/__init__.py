"""The parameter file, and everything that follows from it alone."""
