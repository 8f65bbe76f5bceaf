"""The search for designs with any two looks: with stops for futility, for efficacy, or both."""
