"""What each family of designs gives for one question, side by side: table and picture."""
