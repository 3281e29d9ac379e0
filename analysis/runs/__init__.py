"""Run folders in, stages with their records out."""
