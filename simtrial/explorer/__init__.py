"""The design explorer: controls on one side, the design and its calendar on the other."""
