"""A run while it is under way: the file as it grows, figures so far, finished stages, the observer's protocol."""
