"""What a user runs beside Locust and the analysis: demo, tests, checks, the local endpoint, payloads, benches."""
