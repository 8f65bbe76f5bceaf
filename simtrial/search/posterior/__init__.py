"""What a prior says of a trial at its looks, and what depends on it: posterior, prediction, sensitivity."""
