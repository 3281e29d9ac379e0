"""One file a sub-command of `python -m analysis`."""
