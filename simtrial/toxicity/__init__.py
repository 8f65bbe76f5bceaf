"""Toxicity: boundaries that stop a trial for it, and what they do to its response design."""
