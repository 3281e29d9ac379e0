"""Records on their way to the run folder, and what is counted of them meanwhile."""
