"""Costs from the CSV files that Locust itself writes: reading them, the table, the command."""
