"""Public clients, each in an environment of its own, tried against the local endpoint: `python -m scripts.clients`."""
