"""The boundary of a design: what each number of responses leads to at each look, as a picture and as a table."""
