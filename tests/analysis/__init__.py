"""The analysis on runs made by hand: figures, costs, verdicts and advice, with the arithmetic beside them."""
