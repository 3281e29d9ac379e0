"""One script a client, run with that client's own interpreter: what its users call, and what must come back."""
