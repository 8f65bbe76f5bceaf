"""Lessons for a class, each a picture under controls."""
