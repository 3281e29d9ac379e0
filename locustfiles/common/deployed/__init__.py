"""A process of a deployment: how an image starts it, what it says of its health, and how it ends within a grace period."""
