"""Where p0 comes from: earlier studies pooled, the true rates that they make plausible, and what the test then does."""
