"""The cost of any Locust run from its CSV files; needs nothing else of the analysis but words."""
