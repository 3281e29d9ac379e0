"""The Report as pictures."""
