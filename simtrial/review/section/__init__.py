"""A stated sample-size section as text: its ten elements with the words they stand in, and what exact numbers say."""
