"""The analysis: figures, cost, verdicts and advice from runs made by hand."""
