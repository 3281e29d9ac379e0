"""The sweep: one stage after another, the search, the preflight, the budget's guard."""
