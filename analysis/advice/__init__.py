"""What follows from the results: recommendation, knee, break-even, tables, notes; and `analyse`, which puts all of
it into the Report."""
