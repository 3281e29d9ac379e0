"""The image, and what a process of it says and does: its entry point, its health, its grace period."""
