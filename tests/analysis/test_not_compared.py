"""A target that nothing is known of is named where the recommendation is, with the service's own words."""

import json

from analysis.__main__ import main
from analysis.advice.analyse import analyse
from analysis.report.plots.price import caption_lines
from locustfiles.contract.manifest import LeftOut
from tests.helpers.made_run import BEDROCK, P4D, PRICES, made_run, record, steady, window

WRONG = {
    "error": "model_error",
    "error_code": "ModelError",
    "error_message": "missing field `inputs`",
    "completion_tokens": None,
}


def test_a_target_whose_calls_all_failed_is_named_with_the_services_words(tmp_path):
    good = steady(1, 10, 70, users=1, latency=1.0, target="p4d")
    bad = [record(100 + i, 0.1, stage=2, target="bedrock", prompt_id=str(i), **WRONG) for i in range(30)]
    run = made_run(
        tmp_path / "r",
        good + bad,
        [window(1, 10, 70, target="p4d"), window(2, 100, 160, target="bedrock")],
        [P4D, BEDROCK],
    )
    report = analyse([run])
    sentence = "`bedrock` could not be compared: all 30 of its requests failed, model_error: ModelError: missing field `inputs`."
    assert report.not_compared == [sentence]
    assert report.recommendation.facts[0].startswith("The best price-performance for `en` is `p4d`")
    assert report.recommendation.facts[0].endswith(sentence)


def test_a_target_that_was_left_out_stands_in_all_reports(tmp_path, capsys):
    left = LeftOut("bedrock", None, "client", "ValidationException: no such model", "check the id")
    run = made_run(
        tmp_path / "r", steady(1, 10, 70, users=1, latency=1.0), [window(1, 10, 70)], [P4D, BEDROCK], left_out=[left]
    )
    main(["report", str(run)])
    sentence = "`bedrock` could not be compared: its first calls failed, client: ValidationException: no such model; check the id."
    assert sentence in " ".join(capsys.readouterr().out.split())
    assert json.loads((run / "report" / "summary.json").read_text())["not_compared"] == [sentence]
    for name in ("report.md", "report.html"):
        assert "could not be compared: its first calls failed" in (run / "report" / name).read_text()


def test_the_class_of_a_target_that_was_left_out_is_said_once(tmp_path):
    left = LeftOut("bedrock", None, "stream_broken", "stream_broken: connection closed before the answer began", "see")
    run = made_run(
        tmp_path / "r", steady(1, 10, 70, users=1, latency=1.0), [window(1, 10, 70)], [P4D, BEDROCK], left_out=[left]
    )
    (sentence,) = analyse([run]).not_compared
    assert sentence.count("stream_broken") == 1 and "closed before the answer began; see" in sentence


def test_a_target_with_a_success_is_compared(tmp_path):
    bad = [record(100 + i, 0.1, stage=2, target="bedrock", prompt_id=str(i), **WRONG) for i in range(30)]
    good = [record(131, 0.1, stage=2, target="bedrock")]
    run = made_run(
        tmp_path / "r", steady(1, 10, 70, users=1, latency=1.0) + bad + good,
        [window(1, 10, 70), window(2, 100, 160, target="bedrock")], [P4D, BEDROCK],
    )  # fmt: skip
    assert analyse([run]).not_compared == []


def test_of_many_the_headline_tells_the_number_and_the_first_and_a_list_tells_all(tmp_path, capsys):
    targets = [BEDROCK | {"name": f"b{n}"} for n in range(11)]
    left = [LeftOut(f"b{n}", None, "client", f"ValidationException: no model {n}", "check the id") for n in range(11)]
    run = made_run(
        tmp_path / "r",
        steady(1, 10, 70, users=1, latency=1.0),
        [window(1, 10, 70)],
        [P4D, *targets],
        prices=PRICES | {one["name"]: PRICES["bedrock"] for one in targets},
        left_out=left,
    )
    short = "11 could not be compared: `b0` (client), `b1` (client) and 9 more, which are listed with their reasons."
    report = analyse([run])
    assert report.recommendation.facts[0].endswith(short)
    assert "no model" not in report.recommendation.text
    main(["report", str(run)])
    said = " ".join(capsys.readouterr().out.split())
    files = {name: (run / "report" / name).read_text() for name in ("report.md", "report.html")}
    assert short in said and short in files["report.md"]
    assert "11 could not be compared: <code>b0</code> (client), " in files["report.html"]
    told = json.loads((run / "report" / "summary.json").read_text())["not_compared"]
    for n in range(11):
        why = f"could not be compared: its first calls failed, client: ValidationException: no model {n}; check the id."
        assert told[n] == f"`b{n}` {why}"
        assert f"- `b{n}` {why}" in said and f"\n- `b{n}` {why}\n" in files["report.md"]
        assert f"<li><code>b{n}</code> {why}</li>" in files["report.html"]


def test_a_plots_caption_tells_the_first_and_how_many_more():
    sentences = [f"`b{n}` could not be compared: no." for n in range(3)]
    plain = [words.replace("`", "") for words in sentences]
    assert caption_lines(sentences) == [*plain[:2], "1 more could not be compared: see the report."]
    assert caption_lines(sentences[:2]) == plain[:2]
