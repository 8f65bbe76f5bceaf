"""Notebooks run on a parameter file, and what is written of them."""
