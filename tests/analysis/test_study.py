"""The second study's three tables from records that give its throughputs and latencies."""

import pytest

from analysis.advice.analyse import analyse
from analysis.cost.transaction_cost import minutes_per_1m_tokens, usd_per_1m_tokens_hourly
from tests.helpers.made_run import P4D, made_run, record, steady, window

HOURLY = {"ml.g5.2xlarge": 1.515, "ml.g5.12xlarge": 7.09, "ml.p4d.24xlarge": 37.688}
# model, quantization, instance, users, ms/token, tokens/s as published or in its raw data
NINE = [
    ("Llama 2 7B", "GPTQ", "ml.g5.2xlarge", 5, 34.245736, 120.0941633),
    ("Llama 2 13B", "GPTQ", "ml.g5.2xlarge", 5, 56.237484, 71.70560104),
    ("Llama 2 70B", "GPTQ", "ml.g5.12xlarge", 5, 138.347928, 33.33372399),
    ("Llama 2 7B", "None", "ml.g5.12xlarge", 20, 43.995244, 449.9423027),
    ("Llama 2 13B", "None", "ml.g5.12xlarge", 20, 67.4027465, 295.6378071),
    ("Llama 2 70B", "None", "ml.p4d.24xlarge", 20, 59.798591, 321.5369158),
    ("Llama 2 7B", "None", "ml.g5.12xlarge", 1, 16.812526, 61.45733054),
    ("Llama 2 13B", "None", "ml.g5.12xlarge", 1, 21.002715, 47.15736567),
    ("Llama 2 70B", "None", "ml.p4d.24xlarge", 1, 41.348543, 24.5142928),
]
TOKENS = 50  # per answer, as in the study


def target_of(model, quantization, instance):
    name = f"{model}-{quantization}-{instance}".replace(" ", "-")
    return {
        "name": name,
        "model": model,
        "service": "sagemaker",
        "endpoint": name,
        "dialect": "tgi",
        "instance_type": instance,
        "labels": {"quantization": quantization},
    }


def report_of(tmp_path, rows):
    """Per row a stage of 100 answers of 50 tokens: the window is 5000 / (tokens/s) long, latency 50 x ms/token."""
    records, stages, targets = [], [], {}
    start = 10.0
    for stage, (model, quantization, instance, users, per_token, rate) in enumerate(rows, start=1):
        target = target_of(model, quantization, instance)
        targets[target["name"]] = target
        length, latency = 100 * TOKENS / rate, TOKENS * per_token / 1000
        gap = (length - latency - 0.1) / 100
        spot = {
            "stage": stage,
            "users": users,
            "target": target["name"],
            "completion_tokens": TOKENS,
            "prompt_tokens": 100,
        }
        records += [record(start + i * gap, latency, prompt_id=str(i), **spot) for i in range(100)]
        stages.append(window(stage, start, start + length, users=users, target=target["name"]))
        start += length + 20
    prices = {t["name"]: {"usd_per_hour": HOURLY[t["instance_type"]]} for t in targets.values()}
    return analyse([made_run(tmp_path / "r", records, stages, targets=list(targets.values()), prices=prices)])


def columns(table):
    names = [
        "Quantization",
        "Instance",
        "Concurrent requests",
        "Minutes per 1M output tokens",
        "USD per 1M output tokens",
    ]
    return [[*row[:3], round(row[3], 2), round(row[4], 2)] for row in table[names].itertuples(index=False)]


def test_the_three_tables_with_the_two_published_slips_put_right(tmp_path):
    tables = report_of(tmp_path, NINE).tables
    assert columns(tables["most_cost_effective"]) == [
        ["GPTQ", "ml.g5.2xlarge", 5, 138.78, 3.50],
        ["GPTQ", "ml.g5.2xlarge", 5, 232.43, 5.87],
        ["GPTQ", "ml.g5.12xlarge", 5, 499.99, 59.08],
    ]
    assert columns(tables["best_throughput"]) == [
        ["None", "ml.g5.12xlarge", 20, 37.04, 4.38],
        ["None", "ml.g5.12xlarge", 20, 56.38, 6.66],  # published as 18.72 and 2.21
        ["None", "ml.p4d.24xlarge", 20, 51.83, 32.56],  # published as 16.61 and 10.43
    ]
    assert columns(tables["best_latency"]) == [
        ["None", "ml.g5.12xlarge", 1, 271.19, 32.05],
        ["None", "ml.g5.12xlarge", 1, 353.43, 41.76],
        ["None", "ml.p4d.24xlarge", 1, 679.88, 427.05],
    ]
    latency = tables["best_latency"]
    assert latency["Latency (ms/token) median"].tolist() == pytest.approx([16.8125, 21.0027, 41.3485], abs=1e-3)
    assert latency["Throughput (tokens/s)"].tolist() == pytest.approx([61.4573, 47.1574, 24.5143], abs=1e-3)
    assert latency["On-demand cost ($/h)"].tolist() == [7.09, 7.09, 37.688]
    assert latency["Model"].tolist() == ["Llama 2 7B", "Llama 2 13B", "Llama 2 70B"]


def test_the_cheapest_configuration_wins_and_not_the_one_the_study_names(tmp_path):
    # the study's own data: 7B without GPTQ on g5.2xlarge gives 131.29 tokens/s at 5 users
    unquantized = ("Llama 2 7B", "None", "ml.g5.2xlarge", 5, 37.5, 131.29)
    (row,) = report_of(tmp_path, [NINE[0], unquantized]).tables["most_cost_effective"].to_dict("records")
    # 1e6 / 131.29 / 3600 x 1.515
    assert row["USD per 1M output tokens"] == pytest.approx(3.2054, abs=1e-3)
    assert row["Quantization"] == "None"
    assert row["Runner-up"] == "Llama-2-7B-GPTQ-ml.g5.2xlarge"
    # 131.29 / 120.0942 - 1
    assert row["Margin"] == pytest.approx(0.0932, abs=1e-3)


def test_the_nearest_level_takes_the_place_of_a_missing_one_and_says_so(tmp_path):
    rows = [
        ("Llama 2 7B", "None", "ml.g5.12xlarge", users, 40.0, rate)
        for users, rate in ((2, 90.0), (4, 150.0), (16, 300.0))
    ]
    tables = report_of(tmp_path, rows).tables
    for name, level, asked in (("most_cost_effective", 4, 5), ("best_throughput", 16, 20), ("best_latency", 2, 1)):
        (row,) = tables[name].to_dict("records")
        assert row["Concurrent requests"] == level
        assert row["Note"] == f"{asked} users were not measured; nearest level shown"


# the second study's nine rows: $/h, tokens/s, minutes and dollars per 1M tokens as they follow from these
ROWS = [
    (1.515, 120.0941633, 138.78, 3.50),
    (1.515, 71.70560104, 232.43, 5.87),
    (7.09, 33.33372399, 499.99, 59.08),
    (7.09, 449.9423027, 37.04, 4.38),
    (7.09, 295.6378071, 56.38, 6.66),
    (37.688, 321.5369158, 51.83, 32.56),
    (7.09, 61.45733054, 271.19, 32.05),
    (7.09, 47.15736567, 353.43, 41.76),
    (37.688, 24.5142928, 679.88, 427.05),
]


@pytest.mark.parametrize(("hourly", "tokens_per_s", "minutes", "usd"), ROWS)
def test_the_second_studys_rows(hourly, tokens_per_s, minutes, usd):
    assert minutes_per_1m_tokens(tokens_per_s) == pytest.approx(minutes, abs=0.006)
    assert usd_per_1m_tokens_hourly(hourly, tokens_per_s) == pytest.approx(usd, abs=0.006)


@pytest.mark.parametrize(
    ("hourly", "tokens_per_s", "printed_minutes", "printed_usd", "latency_ms"),
    [(7.09, 295.6378071, 18.72, 2.21, 67.4027465), (37.688, 321.5369158, 16.61, 10.43, 59.798591)],
)
def test_the_second_studys_two_slips_are_not_reproduced(hourly, tokens_per_s, printed_minutes, printed_usd, latency_ms):
    minutes, usd = minutes_per_1m_tokens(tokens_per_s), usd_per_1m_tokens_hourly(hourly, tokens_per_s)
    # a million tokens at T tokens/s, paid by the hour, must give the hourly price back: usd x T x 3600 / 1e6
    assert usd * tokens_per_s * 3600 / 1e6 == pytest.approx(hourly)
    assert printed_usd * tokens_per_s * 3600 / 1e6 < hourly / 3
    # what was printed as minutes are the hours that one stream alone needs: ms per token / 3.6
    assert printed_minutes == pytest.approx(latency_ms / 3.6, abs=0.01)
    assert minutes / printed_minutes == pytest.approx(usd / printed_usd, rel=0.01)
    assert minutes > 3 * printed_minutes


def seven_b(tmp_path, *rows):
    """(instance, users, tokens/s) rows of one model; the target is named by its instance."""
    return report_of(
        tmp_path, [("Llama 2 7B", "None", instance, users, 40.0, rate) for instance, users, rate in rows]
    ).tables


def test_targets_are_compared_at_the_nearest_level_that_all_of_them_have(tmp_path):
    rows = [
        ("ml.g5.2xlarge", 4, 100.0),
        ("ml.g5.2xlarge", 5, 110.0),
        ("ml.p4d.24xlarge", 4, 300.0),
        ("ml.p4d.24xlarge", 8, 500.0),
    ]
    (row,) = seven_b(tmp_path, *rows)["most_cost_effective"].to_dict("records")
    assert (row["Instance"], row["Concurrent requests"]) == ("ml.g5.2xlarge", 4)
    # at 4 users: 1.515 / 0.36 = 4.21 $ per million against 37.688 / 1.08 = 34.90 $
    assert row["Margin"] == pytest.approx(37.688 / 300 / (1.515 / 100) - 1)
    assert row["Runner-up"] == "Llama-2-7B-None-ml.p4d.24xlarge"
    assert row["Note"] == "5 users were not measured of every target; nearest level shown"


def test_targets_without_a_level_in_common_are_compared_each_at_its_nearest_which_the_note_says(tmp_path):
    rows = [
        (i, u, r * u)
        for i, us, r in (("ml.p4d.24xlarge", (1, 5, 20), 30.0), ("ml.g5.2xlarge", (1, 4, 16), 20.0))
        for u in us
    ]
    tables = seven_b(tmp_path, *rows)
    dear, cheap = "`Llama-2-7B-None-ml.p4d.24xlarge`", "`Llama-2-7B-None-ml.g5.2xlarge`"
    (row,) = tables["most_cost_effective"].to_dict("records")
    # 1.515 $/h at 80 tokens/s is 5.26 $ per million, 37.688 $/h at 150 tokens/s 69.79 $
    assert (row["Instance"], row["Concurrent requests"]) == ("ml.g5.2xlarge", 4)
    assert row["USD per 1M output tokens"] == pytest.approx(1.515 / 0.288)
    assert row["Runner-up"] == dear.strip("`")
    assert row["Note"] == f"the targets share no level near 5 users; each at its nearest: {dear} 5, {cheap} 4"
    (row,) = tables["best_throughput"].to_dict("records")
    assert (row["Instance"], row["Concurrent requests"]) == ("ml.p4d.24xlarge", 20)  # 600 against 320 tokens/s
    (row,) = tables["best_latency"].to_dict("records")
    assert (row["Concurrent requests"], row["Note"]) == (1, None)


def test_a_target_without_the_figure_is_named_as_left_out(tmp_path):
    answers = steady(1, 100, 160, 5, 1.0, completion_tokens=50, prompt_tokens=9)
    uncounted = steady(2, 200, 260, 5, 1.0, target="other", token_source="none")
    targets, prices = [P4D, P4D | {"name": "other"}], {"p4d": {"usd_per_hour": 1.0}, "other": {"usd_per_hour": 1.0}}
    stages = [window(1, 100, 160, users=5), window(2, 200, 260, users=5, target="other")]
    report = analyse([made_run(tmp_path / "r", answers + uncounted, stages, targets=targets, prices=prices)])
    (row,) = report.tables["most_cost_effective"].to_dict("records")
    assert (row["Target"], row["Runner-up"]) == ("p4d", None)
    assert row["Note"] == "left out, without such a figure that can be trusted: `other`"
