"""A call's whole prompt, and how many uncounted answers make totals unknown."""

import pandas as pd

from analysis.runs.rows import Table

#: above this share of successes without a token count, their rates, bills and costs are not known
MAX_UNCOUNTED = 0.01


def prompt_total(records: Table) -> pd.Series:
    """Each call's whole prompt, tokens: `prompt_tokens` are those that were neither read from nor written to a cache."""
    return records["prompt_tokens"] + records["cache_read_tokens"].fillna(0) + records["cache_write_tokens"].fillna(0)
