"""Intervals and tests that the rules of a run and the report share."""
