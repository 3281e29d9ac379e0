"""Plans: demand, months, quotas, the command."""
