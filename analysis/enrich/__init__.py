"""What the service itself tells of a run's stages: CloudWatch, Service Quotas, and a container's metrics by Prometheus."""
