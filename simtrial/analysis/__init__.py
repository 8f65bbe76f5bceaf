"""The analysis of a finished trial: decision, p-value, estimates, intervals, also at sizes other than planned."""
