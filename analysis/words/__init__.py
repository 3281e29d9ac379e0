"""What every figure is called, means and looks like; the ground floor, imports nothing of the analysis."""
