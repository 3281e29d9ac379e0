import pytest

from analysis.report import analyse
from locustfiles.common.scenario import BadScenario
from tests.analysis.made_run import BEDROCK, P4D, made_run, record, window
from tests.analysis.test_cost import PER_CALL, call


def test_the_first_studys_run_cost(tmp_path):
    # 263.5475 s x 37.688 $/h / 3600 = 2.75905 $; from the warm-up call to the end of the last held request
    records = [
        record(0, 1, phase="warmup", stage=0, users=None),
        record(100, 1),
        record(263.0475, 0.5, phase="hold"),
        call(300, phase="warmup", stage=0),
        call(301, stage=2),
        call(302, stage=2, error="throttled", prompt_tokens=None, completion_tokens=None),
    ]
    stages = [window(1, 90, 110), window(2, 300, 310, target="bedrock")]
    report = analyse([made_run(tmp_path / "r", records, stages, targets=[P4D, BEDROCK])])
    hourly, tokens = report.run_cost.to_dict("records")
    assert hourly["duration_s"] == pytest.approx(263.5475, abs=1e-5)
    assert f"{hourly['usd']:.5f}" == "2.75905"
    assert (hourly["usd_per_hour"], hourly["instance_count"]) == (37.688, 1)
    # two calls with tokens: the warm-up's are billed as well
    assert (tokens["prompt_tokens"], tokens["completion_tokens"]) == (5846, 48)
    assert tokens["usd"] == pytest.approx(2 * PER_CALL)
    assert report.total_cost == pytest.approx(2.75905 + 0.0044325, abs=1e-5)


def test_an_unknown_part_makes_the_total_unknown(tmp_path):
    path = made_run(
        tmp_path / "r",
        [call(11, completion_tokens=None)],
        [window(1, 10, 20, target="bedrock")],
        targets=[P4D, BEDROCK],
    )
    report = analyse([path])
    assert report.total_cost is None
    # nothing was sent to p4d: that part is known
    assert report.run_cost["usd"].tolist()[0] == 0.0
    assert report.run_cost["usd"].isna().tolist() == [False, True]


BOOK = """
region: eu-west-1
currency: USD
as_of: 2025-01-01
source: made
instances: {ml.p4d.24xlarge: 75.376}
models: {meta.llama2-13b-chat-v1: {input: 0.0015, output: 0.002}}
"""


def test_another_price_book_reprices_an_old_run(tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK)
    records = [record(10 + i, 0.5) for i in range(10)] + [call(30, stage=2)]
    path = made_run(
        tmp_path / "r", records, [window(1, 10, 20), window(2, 29, 39, target="bedrock")], targets=[P4D, BEDROCK]
    )
    old, new = analyse([path]), analyse([path], pricing=book)
    assert (new.steps["usd_per_transaction"] / old.steps["usd_per_transaction"]).tolist() == pytest.approx([2.0, 2.0])
    assert new.pricing["r"] == {"file": str(book), "region": "eu-west-1", "as_of": "2025-01-01", "source": "made"}
    assert old.pricing["r"]["file"] == "configs/pricing/x.yaml"


def test_a_price_book_without_a_targets_price_names_the_target(tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text(BOOK.replace("ml.p4d.24xlarge", "ml.g5.2xlarge"))
    path = made_run(tmp_path / "r", [record(11, 1)], [window(1, 10, 20)])
    with pytest.raises(BadScenario, match=r"target `p4d` of run r: no price for instance type `ml.p4d.24xlarge`"):
        analyse([path], pricing=book)
