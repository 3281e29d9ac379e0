"""What `locust -f` runs: one locustfile a service, and `sweep.py` for a scenario of several."""
