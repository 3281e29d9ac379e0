"""A run judged for a pipeline: its limits, whether it is whole, and whether it is worse than a baseline, as cases with one outcome."""
