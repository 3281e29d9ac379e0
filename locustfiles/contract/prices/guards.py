"""Figures that are no price: of another unit, another region, another time."""

#: above this, USD per 1,000 tokens, a price is a per-million figure in the wrong unit
MAX_PER_1K = 1.0
