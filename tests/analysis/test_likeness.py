"""What is said where targets, or runs, are not alike."""

import pytest

from analysis.advice.analyse import analyse
from tests.helpers.flat import table
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run, steady, window

BOOK = "region: us-east-1\ncurrency: USD\nas_of: 2024-04-15\nsource: made\ninstances: {ml.p4d.24xlarge: 30.0}\n"


def run(
    path,
    sha="00ff",
    usd=37.688,
    latency=1.0,
    prompt=100,
    output=24,
    users=(4,),
    region="us-east-1",
    scenario=None,
    **tokens,
):
    """A minute a level of back-to-back requests to `p4d`."""
    records, stages = [], []
    for number, n in enumerate(users, 1):
        a = 100.0 * number
        records += steady(number, a, a + 60, n, latency, prompt_tokens=prompt, completion_tokens=output, **tokens)
        stages.append(window(number, a, a + 60, users=n))
    payloads = {"en": {"file": "payloads/en.jsonl", "sha256": sha, "prompts": 100}}
    prices = {"p4d": {"usd_per_hour": usd, "instance_count": 1}}
    return made_run(
        path, records, stages, prices=prices, payloads=payloads, scenario_keys={"region": region} | (scenario or {})
    )


def warnings(*paths, **options):
    return analyse(paths, **options).recommendation.warnings


def test_one_target_that_answers_at_unlike_length_in_two_runs_is_compared_with_a_warning(tmp_path):
    (said,) = warnings(run(tmp_path / "mon", output=24), run(tmp_path / "tue", output=240))
    assert said.startswith("Mean output tokens differ by more than 10 % (`p4d` of run mon 24.0, `p4d` of run tue 240)")


def test_equal_prompt_ids_are_compared_only_where_the_files_are_equal(tmp_path):
    mon = run(tmp_path / "mon", prompt=100)
    (same,) = warnings(mon, run(tmp_path / "tue", prompt=300))
    assert same.startswith("`p4d` of run tue counts 200 % more tokens than `p4d` of run mon in the same prompts")
    (other,) = warnings(mon, run(tmp_path / "wed", prompt=300, sha="aa00"))
    assert (
        other
        == "`en` is not the same file in every run (SHA-256 mon 00ff, wed aa00): their targets were asked other prompts."
    )


def test_cached_prompt_tokens_are_tokens_of_the_prompt(tmp_path):
    records = steady(1, 100, 160, 2, 1.0, prompt_tokens=3000, completion_tokens=24)
    cached = steady(
        2, 200, 260, 2, 1.0, target="cached", prompt_tokens=30, cache_read_tokens=2970, completion_tokens=24
    )
    targets, prices = [P4D, P4D | {"name": "cached"}], PRICES | {"cached": PRICES["p4d"]}
    stages = [window(1, 100, 160, users=2), window(2, 200, 260, users=2, target="cached")]
    assert warnings(made_run(tmp_path / "r", records + cached, stages, targets=targets, prices=prices)) == []


def test_prices_that_differ_between_runs_are_named_until_one_book_prices_them_all(tmp_path):
    paths = run(tmp_path / "mon"), run(tmp_path / "tue", usd=30.0)
    assert warnings(*paths) == [
        "`ml.p4d.24xlarge` is not priced alike (run mon: $37.688 per hour, run tue: $30 per hour), so its runs are not taken together; to compare by the same prices, give a price "
        "book with --pricing."
    ]
    (tmp_path / "book.yaml").write_text(BOOK)
    assert warnings(*paths, pricing=tmp_path / "book.yaml") == []


def test_regions_that_differ_are_named(tmp_path):
    (said,) = warnings(run(tmp_path / "mon"), run(tmp_path / "tue", region="eu-west-1"))
    assert said.startswith("The runs are of different regions (mon us-east-1, tue eu-west-1)")


def test_a_price_of_a_cache_is_part_of_the_price(tmp_path):
    targets, tokens = [BEDROCK], {"target": "bedrock", "prompt_tokens": 100, "completion_tokens": 24}
    paths = []
    for name, cache in (("mon", {}), ("tue", {"cache_read": 0.0001, "cache_write": 0.00125})):
        prices = {"bedrock": {"input": 0.001, "output": 0.005} | cache}
        stages, records = [window(1, 100, 160, target="bedrock", users=2)], steady(1, 100, 160, 2, 1.0, **tokens)
        payloads = {"en": {"file": "payloads/en.jsonl", "sha256": "00ff", "prompts": 100}}
        paths.append(made_run(tmp_path / name, records, stages, targets=targets, prices=prices, payloads=payloads))
    (said,) = warnings(*paths)
    mon = "$0.001 in, $0.005 out per 1,000 tokens"
    tue = "$0.001 in, $0.005 out, $0.0001 read from a cache, $0.00125 written to one per 1,000 tokens"
    assert said.startswith(f"`meta.llama2-13b-chat-v1` is not priced alike (run mon: {mon}, run tue: {tue}), so ")


def test_a_stage_that_a_resumed_run_measured_again_counts_once(tmp_path):
    """The records of a stage that was cut short are left out: 24 tokens in both runs."""
    path = run(tmp_path / "mon")
    cut = steady(9, 10, 20, 1, 1.0, completion_tokens=500)
    again = made_run(
        tmp_path / "tue", [*cut, *steady(1, 100, 160, 4, 1.0, prompt_tokens=100, completion_tokens=24)],
        [window(1, 100, 160, users=4)], abandoned=[window(9, 10, 20)], prices={"p4d": PRICES["p4d"]},
    )  # fmt: skip
    assert warnings(path, again) == []


def test_texts_name_the_run_where_there_are_several(tmp_path):
    """1 s at every level rises with the users; 1 s a user more does not."""
    rising, flat = run(tmp_path / "mon", users=(1, 2, 4)), tmp_path / "tue"
    records = [
        r for n, users in enumerate((1, 2, 4), 1) for r in steady(n, 100.0 * n, 100.0 * n + 60, users, float(users))
    ]
    stages = [window(n, 100.0 * n, 100.0 * n + 60, users=users) for n, users in enumerate((1, 2, 4), 1)]
    made_run(flat, records, stages, targets=[P4D | {"endpoint": "another"}])
    report = analyse([rising, flat])
    assert table(report, "knees")["text"].tolist() == [
        "`p4d` of run mon on `en`: no knee up to 4 users (238 transactions per minute there).",
        "`p4d` of run tue on `en`: the knee is at 1 user (60.0 transactions per minute; no later level brings 5 % more).",
    ]
    assert "is `p4d` of run mon (ml.p4d.24xlarge) at 4 users" in report.recommendation.text
    assert "Runner-up: `p4d` of run tue at 1 user" in report.recommendation.text
    alone = analyse([rising])
    assert "of run" not in alone.recommendation.text + table(alone, "knees")["text"][0]


def test_break_even_pairs_of_several_runs_name_them(tmp_path):
    tokens = {"target": "bedrock", "service": "bedrock", "prompt_tokens": 2923, "completion_tokens": 24}
    targets = [P4D, {"name": "bedrock", "model": "Llama 2 13B", "service": "bedrock", "model_id": "m", "stream": True}]
    for name in ("mon", "tue"):
        targets = [target | {"system": f"It is {name}."} for target in targets]  # two options, no repetitions
        records = steady(1, 100, 160, 4, 1.0, prompt_tokens=2923, completion_tokens=24) + steady(
            2, 200, 260, 4, 1.0, **tokens
        )
        stages = [window(1, 100, 160, users=4), window(2, 200, 260, users=4, target="bedrock")]
        made_run(tmp_path / name, records, stages, targets=targets)
    texts = [pair.text for pair in analyse([tmp_path / "mon", tmp_path / "tue"]).break_even]
    leads = [text.partition(":")[0] for text in texts]
    assert leads == [
        f"`p4d` of run {one} against `bedrock` of run {other} on `en`"
        for one in ("mon", "tue")
        for other in ("mon", "tue")
    ]


@pytest.mark.parametrize("second", [{}, {"sha": None}])
def test_runs_that_are_alike_get_no_warning(tmp_path, second):
    assert warnings(run(tmp_path / "mon"), run(tmp_path / "tue", **second)) == []
