"""Payload files, and what counts their tokens."""
