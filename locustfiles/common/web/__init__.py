"""What Swarmledger adds to Locust's web UI: its doors, its notices, its own page."""
