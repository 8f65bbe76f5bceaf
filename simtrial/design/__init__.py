"""What a design is, and what it does, exactly."""
