"""The patients of a trial, as files bring them."""
