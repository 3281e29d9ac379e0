"""Whole runs, by real Locust processes against the local endpoint."""
