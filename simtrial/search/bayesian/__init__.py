"""Bayesian monitoring: rules on posterior and predictive probabilities, each of which is a list of bounds."""
