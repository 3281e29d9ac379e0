"""The study's page shows its figures at the price of its day and at today's, as the product works them out."""

import pathlib

import pytest

from analysis.advice.break_even import intervals
from analysis.cost.transaction_cost import usd_per_transaction_hourly

PAGE = pathlib.Path(__file__).parents[2] / "configs" / "llama2-13b-study.md"
CAPACITY, USD = 346 * 60, 0.002216  # of the study: transactions an hour of one p4d; of one by tokens


def rows():
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return {name: values for name, *values in lines}


@pytest.mark.parametrize(("column", "hourly"), [(0, 37.688), (1, 25.25)])
def test_the_page_has_the_figures_of_both_prices(column, hourly):
    page = {name: values[column] for name, values in rows().items() if len(values) == 2}
    found = intervals(hourly, CAPACITY, USD)
    usd = usd_per_transaction_hourly(hourly, 346)
    # 37.688 / 0.002216 / 60 = 283.5 and 25.25 / 0.002216 / 60 = 189.9, of 346: 81.9 % and 54.9 %
    assert page["ml.p4d.24xlarge"] == f"${hourly} per hour"
    assert page["p4d, a transaction at 346 a minute (10 users)"] == f"${usd:.6f}"
    assert page["p4d, 10,000 transactions"] == f"${10_000 * usd:.2f}"
    assert page["both cost the same at"] == f"{found[0][0] / 60:.1f} transactions a minute"
    assert page["which is, of what one p4d carries"] == f"{100 * found[0][0] / CAPACITY:.1f} %"
    assert page["p4d is always cheaper above"] == f"{found[-1][0] / 60:,.1f} transactions a minute"
    # 2923 x 0.00075 / 1000 + 24 x 0.001 / 1000 = 0.00221625
    assert page["Bedrock, a transaction of 2,923 + 24 tokens"] == "$0.002216"
    assert page["Bedrock, 10,000 transactions"] == "$22.16"
