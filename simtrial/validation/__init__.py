"""What is computed here beside its references."""
