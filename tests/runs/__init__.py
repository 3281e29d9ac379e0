"""Whole runs: locust as users start it, against the local endpoint, and what the run folder then holds."""
