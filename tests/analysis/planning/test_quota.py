"""What a load takes of Bedrock's quotas, and which is hit first."""

import pytest

from analysis.planning.demand import Demand, constant
from analysis.planning.quota import Need, burndown_of, quota_lines, quotas_of
from locustfiles.contract.bad_input import BadInput

#: 1,000 tokens in, of which 400 from a cache, 100 out of 500 that are asked for
NEED = Need("`claude`", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", 1000, 400, 100, 500, 5)


@pytest.mark.parametrize(
    ("model_id", "rate"),
    [
        ("anthropic.claude-3-haiku-20240307-v1:0", 1),
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", 1),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", 5),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", 5),
        ("us.anthropic.claude-opus-4-1-20250805-v1:0", 5),
        ("global.anthropic.claude-haiku-4-5-20251001-v1:0", 5),
        ("global.anthropic.claude-sonnet-5-5", 5),
        ("anthropic.claude-v2:1", 1),
        ("amazon.nova-lite-v1:0", 1),
    ],
)
def test_output_of_claude_from_3_7_on_counts_five_times(model_id, rate):
    assert burndown_of(model_id) == rate


def test_a_call_first_takes_what_it_may_write_and_keeps_what_it_wrote():
    # in the end 1,000 - 400 + 100 x 5 = 1,100; while it runs 1,000 + 500 = 1,500
    assert (NEED.settled, NEED.at_start) == (1100, 1500)
    assert NEED.takes(constant(10)) == {"rpm": (10, 10), "tpm": (11_000, 15_000), "tpd": (15_840_000, 15_840_000)}


def test_the_busiest_day_of_a_week_counts():
    week = Demand((1.0,) * 144 + (2.0,) * 24)  # 24 x 2 x 60 = 2,880 transactions
    assert NEED.takes(week)["tpd"][0] == 2880 * 1100


def test_the_first_quota_is_the_one_that_allows_the_fewest_transactions():
    # 15,000 / 1,500 = 10 a minute; 200 a minute; 31,680,000 / (1,100 x 1,440) = 20 a minute
    _, line = quota_lines(NEED, constant(8), {"rpm": 200, "tpm": 15_000, "tpd": 31_680_000})
    assert "the first quota to be hit is tokens a minute (15,000), at 10.0 transactions a minute; the plan fits" in line
    _, line = quota_lines(NEED, constant(12), {"rpm": 200, "tpm": 15_000, "tpd": 31_680_000})
    assert "the plan is beyond tokens a minute: ask for more before it" in line


def test_without_quotas_it_says_how_to_give_them():
    assert "--quota tpm=" in quota_lines(NEED, constant(8), {})[-1]


def test_quotas_are_read_with_thousands_apart():
    assert quotas_of(["tpm=2,000,000", "rpm=200"]) == {"tpm": 2e6, "rpm": 200}


@pytest.mark.parametrize("text", ["tpm", "tpm=", "tpm=-5", "tpm=0", "tps=5", "=5", "tpm=many"])
def test_what_is_no_quota_is_refused_with_how_to_write_one(text):
    with pytest.raises(BadInput, match=r"no quota; write rpm=NUMBER"):
        quotas_of([text])
