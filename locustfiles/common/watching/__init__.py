"""A run as it is watched: the observer, a process of its own that reads the run folder, and what is shown of it."""
