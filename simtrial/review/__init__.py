"""Stated sample sizes: whether and how they can be reproduced."""
