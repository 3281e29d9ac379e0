"""A run while it is under way: its records as they come, and what is known of them by now."""
