"""The processes: Locust's master, workers and users."""
