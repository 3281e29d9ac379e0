"""The measurements of one stage."""
