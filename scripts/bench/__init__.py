"""How true and how cheap load clients are: each against the same local endpoint, whose truth log knows better."""
