"""Two published studies through `import table` and `report` alone: their 19 blocks of figures, with two dollar figures put right."""

import pathlib

import pytest

from analysis.advice.analyse import analyse
from locustfiles.contract.run_folder import RunFolder
from tests.helpers.flat import table
from tests.helpers.peer_results import STUDIES, run_of

#: the first study's ten, as it prints them: target, payload, users, latency s, prompt, output tokens, transactions/min; none: no level
SENTENCES = [
    ("p4d", "payload_en_1-500", 10, "0.360 s", 309, 26, "921"),
    ("p4d", "payload_en_500-1000", 10, "0.340 s", 969, 16, "1,016"),
    ("p4d", "payload_en_1000-2000", 10, "0.800 s", 1632, 42, "410"),
    ("p4d", "payload_en_2000-3000", 10, "1.10 s", 2516, 53, "322"),
    ("p4d", "payload_en_3000-3840", None, None, None, None, None),
    ("bedrock", "payload_en_1-500", 10, "0.790 s", 267, 24, "382"),
    ("bedrock", "payload_en_500-1000", 10, "0.630 s", 818, 14, "442"),
    ("bedrock", "payload_en_1000-2000", 10, "1.40 s", 1394, 31, "219"),
    ("bedrock", "payload_en_2000-3000", 10, "1.90 s", 2157, 43, "165"),
    ("bedrock", "payload_en_3000-3840", 10, "1.48 s", 2923, 24, "190"),
]
#: the second study's nine: table, model, quantization, instance, users, ms/token, tokens/s, $/h, min and $ per 1M tokens
ROWS = [
    ("most_cost_effective", "Llama 2 7B", "GPTQ", "ml.g5.2xlarge", 5, 34.2457, 120.0942, 1.515, 138.78, 3.50),
    ("most_cost_effective", "Llama 2 13B", "GPTQ", "ml.g5.2xlarge", 5, 56.2375, 71.7056, 1.515, 232.43, 5.87),
    ("most_cost_effective", "Llama 2 70B", "GPTQ", "ml.g5.12xlarge", 5, 138.3479, 33.3337, 7.09, 499.99, 59.08),
    ("best_throughput", "Llama 2 7B", "None", "ml.g5.12xlarge", 20, 43.9952, 449.9423, 7.09, 37.04, 4.38),
    # printed: 18.72 min, $2.21. 1e6 / 295.6378 / 60 = 56.38 min; x 7.09 / 60 = 6.66 $
    ("best_throughput", "Llama 2 13B", "None", "ml.g5.12xlarge", 20, 67.4027, 295.6378, 7.09, 56.38, 6.66),
    # printed: 16.61 min, $10.43. 1e6 / 321.5369 / 60 = 51.83 min; x 37.688 / 60 = 32.56 $
    ("best_throughput", "Llama 2 70B", "None", "ml.p4d.24xlarge", 20, 59.7986, 321.5369, 37.688, 51.83, 32.56),
    ("best_latency", "Llama 2 7B", "None", "ml.g5.12xlarge", 1, 16.8125, 61.4573, 7.09, 271.19, 32.05),
    ("best_latency", "Llama 2 13B", "None", "ml.g5.12xlarge", 1, 21.0027, 47.1574, 7.09, 353.43, 41.76),
    ("best_latency", "Llama 2 70B", "None", "ml.p4d.24xlarge", 1, 41.3485, 24.5143, 37.688, 679.88, 427.05),
]
LIMITS = {"latency_s": {"mean": 2.0}, "error_rate": 0.0, "cost_per_10k_transactions_usd": 50.0}
DATASET = "payload_en_3000-3840"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """The first study, with its limits and its data set of interest."""
    path = run_of("table", STUDIES / "fmbench-llama2.csv", tmp_path_factory.mktemp("first") / "r")
    limited(path)
    return analyse([path])


def limited(path: pathlib.Path) -> None:
    folder = RunFolder(path)
    manifest = folder.read_manifest()
    manifest.scenario["slo"] = LIMITS | {"dataset": DATASET}
    folder.write_manifest(manifest)


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    return analyse([run_of("table", STUDIES / "llama2-sagemaker.csv", tmp_path_factory.mktemp("second") / "r")])


@pytest.mark.parametrize("block", SENTENCES, ids=lambda block: f"{block[0]} {block[1]}")
def test_the_first_studys_ten_recommendations(first, block):
    target, payload, users, latency, prompt, output, per_minute = block
    rows = table(first, "sentences").to_dict("records")
    (row,) = [r for r in rows if (r["target"], r["payload"]) == (target, payload)]
    if users is None:  # printed as a missed latency budget; what it missed is the error rate
        assert not row["positive"] and "`error rate ≤ 0 %` was missed at 6 of 6 levels" in row["recommendation"]
        return
    assert row["positive"] and row["users"] == users
    for part in (
        f"average latency of `{latency}`",
        f"prompts of {prompt:,} and answers of {output} tokens",
        f"`{per_minute} transactions per minute`",
    ):
        assert part in row["recommendation"]


@pytest.mark.parametrize("block", ROWS, ids=lambda block: f"{block[0]} {block[1]}")
def test_the_second_studys_nine_rows(second, block):
    name, model, quantization, instance, users, latency, rate, hourly, minutes, usd = block
    (row,) = [r for r in second.tables[name].to_dict("records") if r["Model"] == model]
    assert (row["Quantization"], row["Instance"], row["Concurrent requests"]) == (quantization, instance, users)
    assert row["Latency (ms/token) median"] == pytest.approx(latency, abs=6e-5)
    assert row["Throughput (tokens/s)"] == pytest.approx(rate, abs=6e-5)
    assert row["On-demand cost ($/h)"] == hourly
    assert row["Minutes per 1M output tokens"] == pytest.approx(minutes, abs=0.006)
    assert row["USD per 1M output tokens"] == pytest.approx(usd, abs=0.006)


def test_the_first_studys_table_of_its_best_and_of_those_that_failed(first):
    information = first.tables["recommended_stage"].set_index("Information")["Value"]
    printed = {
        "experiment_name": "bedrock", "payload_file": f"{DATASET}.jsonl", "concurrency": 10, "error_rate": 0.0,
        "prompt_token_count_mean": 2923, "prompt_token_throughput": 9296, "completion_token_count_mean": 24,
        "completion_token_throughput": 72, "latency_mean": 1.48, "latency_p50": 1.28, "latency_p95": 2.51, "latency_p99": 2.86,
        "transactions_per_minute": 190,
    }  # fmt: skip
    assert {name: information[name] for name in printed} == printed
    # 2923 x 0.00075 / 1000 + 24 x 0.001 / 1000 = 0.00221625, printed as 0.002216
    assert information["price_per_txn"] == pytest.approx(0.00221625)
    failed = table(first, "failed")
    assert failed["users"].tolist() == [1, 2, 4, 6, 8, 10]
    costs, shares = ("43.32", "25.85", "24.93", "21.73", "16.80", "18.15"), (6, 6, 8, 12, 12, 20)
    assert failed["cost per 10k transactions ≤ $50"].tolist() == [f"${usd} ✓" for usd in costs]
    assert failed["error rate ≤ 0 %"].tolist() == [f"{share} % ✗" for share in shares]


def test_its_concurrency_of_10_is_said_to_be_5_in_flight(first):
    # Little: 921 / 60 x 0.36 = 5.5 … 165 / 60 x 1.9 = 5.2
    told = [r.figures.throughput.in_flight_mean for r in first.results if not r.figures.outcome.error_rate]
    assert (round(min(told), 1), round(max(told), 1)) == (4.6, 5.9)
    assert all("requests in flight where 10.0 were due" in r.figures.trust.reasons for r in first.results[:4])
