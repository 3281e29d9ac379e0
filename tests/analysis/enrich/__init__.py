"""What `enrich` finds: periods, both sides of them, quotas, a container by Prometheus, and its command."""
