"""Six lessons for a class, each a picture under controls."""
