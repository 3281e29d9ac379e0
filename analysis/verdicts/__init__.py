"""Limits, intervals, VALID / SUSPECT / INVALID, repetitions pooled: a Result for each stage."""
