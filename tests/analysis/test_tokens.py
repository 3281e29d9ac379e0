"""Where token counts come from, and a tokenizer that is not the model's."""

import pytest

from analysis.advice.analyse import analyse
from analysis.metrics.token_counts import TOO_FEW, comparisons
from analysis.report.html import write_html
from analysis.report.markdown import markdown
from analysis.runs.run_reader import load_run
from tests.helpers.flat import steps, table
from tests.helpers.made_run import P4D, made_run, record, streamed, window

TARGET = P4D | {"tokenizer": "configs/tokenizer.json"}


def counted(n, prompt, output=lambda i: (i + 1, i), **other):
    """n successes; `prompt` and `output` give (service, tokenizer) counts of record i."""
    for i in range(n):
        (service, own), (service_out, own_out) = prompt(i), output(i)
        yield record(
            10 + i, 1, prompt_id=str(i), prompt_tokens=service, tokenizer_prompt_tokens=own,
            completion_tokens=service_out, tokenizer_completion_tokens=own_out, **other,
        )  # fmt: skip


def compared(path, records):
    run = load_run(made_run(path, list(records), [window(1, 10, 90)], targets=[TARGET]))
    return comparisons([run])


def test_the_shares_of_every_source_by_hand(tmp_path):
    records = [
        record(11, 1, prompt_tokens=5, completion_tokens=5),
        record(12, 1, prompt_tokens=5, completion_tokens=5, prompt_token_source="tokenizer", token_source="tokenizer"),
        record(13, 1, prompt_tokens=5, prompt_token_source="payload", token_source="none"),
        record(14, 1, prompt_token_source="none", token_source="none"),
        record(15, 1, error="server", prompt_token_source="payload", token_source="none"),  # no success
    ]
    path = made_run(tmp_path / "r", records, [window(1, 10, 20)])
    report = analyse([path])
    (row,) = table(report, "token_sources").to_dict("records")
    assert row == {
        "run": "r", "target": "p4d", "successes": 4,
        "prompt_service_share": 0.25, "prompt_tokenizer_share": 0.25, "prompt_payload_share": 0.25, "prompt_none_share": 0.25,
        "output_service_share": 0.25, "output_tokenizer_share": 0.25, "output_none_share": 0.5,
    }  # fmt: skip
    step = steps(report).iloc[0]
    names = ("service", "tokenizer", "prompt_service", "prompt_tokenizer", "prompt_payload")
    assert [step[f"{n}_token_share"] for n in names] == [0.25] * 5
    assert "| p4d | 4 | 25 % | 25 % | 25 % | 25 % | 25 % | 25 % | 50 % |" in markdown(report, [])


def test_the_chat_template_is_a_constant_and_no_difference(tmp_path):
    prompts, outputs = compared(tmp_path / "r", counted(20, lambda i: (i + 31, i)))
    assert (prompts.counts, prompts.records, prompts.distinct, prompts.constant_tokens) == ("prompt", 20, 20, 31.0)
    assert (prompts.residual_p50, prompts.residual_p95, prompts.state, prompts.warning) == (0.0, 0.0, "equal", None)
    # the end-of-text token
    assert (outputs.counts, outputs.constant_tokens, outputs.state) == ("output", 1.0, "equal")


def test_a_tokenizer_that_is_not_the_models_is_reported_loudly(tmp_path):
    # service counts 100, 200 … 1100 where the tokenizer has half of them: differences 50, 100 … 550, median 300
    records = [
        record(10 + i, 1, prompt_id=str(i), prompt_tokens=100 * (i + 1), tokenizer_prompt_tokens=50 * (i + 1))
        for i in range(11)
    ]
    prompts, outputs = compared(tmp_path / "a", records)
    assert prompts.constant_tokens == 300.0
    # |50 k - 300| / (100 k), k = 1 … 11: 2.5, 1, 0.5, 0.25, 0.1, 0, 1/14, 1/8, 1/6, 0.2, 5/22; sorted, the sixth of eleven is 0.2
    assert prompts.residual_p50 == pytest.approx(0.2)
    # linear at rank 9.5 of 0 … 10: half way from 1 to 2.5
    assert prompts.residual_p95 == pytest.approx(1.75)
    assert (outputs.state, outputs.records) == (TOO_FEW, 0)
    report = analyse([made_run(tmp_path / "b", records, [window(1, 10, 90)], targets=[TARGET])])
    note = (
        "Run b, `p4d`: tokenizer `configs/tokenizer.json` is not the model's: its prompt counts differ from the service's by "
        "20 % (median; p95 175 %) after the constant of 300 tokens, and the service counts 2.00 for each further one of its tokens; what it alone counted is wrong by as much."
    )
    assert note in report.notes
    assert table(report, "token_comparison")["state"].tolist() == ["differ", TOO_FEW]
    write_html(report, [], tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "not the model's tokenizer" in page.replace("&#39;", "'") and "differ from the service" in page


def test_a_tokenizer_that_counts_an_eighth_too_few_does_not_hide_behind_the_constant(tmp_path):
    # tokenizer 80, 88 … 232; service 9/8 of that + 20: 110, 119 … 281; the middle difference is 10 + 9.5 + 20 = 39.5
    prompts, _ = compared(tmp_path / "r", counted(20, lambda i: (110 + 9 * i, 80 + 8 * i)))
    assert prompts.constant_tokens == 39.5
    assert prompts.residual_p50 < 0.05  # |i - 9.5| / (110 + 9 i)
    assert (prompts.slope, prompts.state) == (pytest.approx(1.125), "differ")
    assert "the service counts 1.12 for each further one of its tokens" in prompts.warning


def test_a_template_that_varies_with_the_message_is_no_other_tokenizer(tmp_path):
    # 30 or 31 tokens of template on prompts of 40 to 43: the slope is not known well enough to blame the tokenizer
    prompts, _ = compared(tmp_path / "r", counted(24, lambda i: (70 + i % 4 + (i // 4) % 2, 40 + i % 4)))
    assert (prompts.state, prompts.slope) == ("equal", pytest.approx(1.0))


@pytest.mark.parametrize(
    ("n", "prompt"),
    [
        (9, lambda i: (i + 31, i)),  # too few records
        (50, lambda i: (40, 9 + i % 2)),  # two different counts: hardly anything to tell from
    ],
)
def test_too_few_to_compare_is_said_and_is_not_0_percent(tmp_path, n, prompt):
    prompts, _ = compared(tmp_path / "a", counted(n, prompt))
    assert (prompts.state, prompts.residual_p50, prompts.constant_tokens) == ("too few to compare", None, None)
    report = analyse([made_run(tmp_path / "b", list(counted(n, prompt)), [window(1, 10, 90)], targets=[TARGET])])
    line = next(line for line in markdown(report, []).splitlines() if "| prompt |" in line)
    assert line.endswith("| – | – | – | – | too few to compare |")


def test_counts_that_are_not_the_services_are_not_compared_with_it(tmp_path):
    records = counted(20, lambda i: (i, i), prompt_token_source="tokenizer", token_source="tokenizer")
    assert [c.records for c in compared(tmp_path / "r", records)] == [0, 0]


def test_tokens_read_from_a_cache_are_part_of_the_prompt(tmp_path):
    # service: i - 100 fresh and 110 cached ones, a template of 10
    records = [
        record(10 + i, 1, prompt_tokens=i, cache_read_tokens=70, cache_write_tokens=40, tokenizer_prompt_tokens=i + 100)
        for i in range(20)
    ]
    assert compared(tmp_path / "r", records)[0].constant_tokens == 10.0


def test_reasoning_is_not_counted_against_the_visible_text(tmp_path):
    told = [
        streamed(10 + i, 1, ttft=0.5, tokens=100 + i, reasoning_tokens=90, tokenizer_completion_tokens=9 + i)
        for i in range(12)
    ]
    hidden = [
        streamed(30 + i, 1, ttft=0.5, tokens=900, hidden_reasoning=1, tokenizer_completion_tokens=9) for i in range(5)
    ]
    shown = [
        streamed(40 + i, 1, ttft=0.1, ttft_visible_ms=900.0, tokens=900, tokenizer_completion_tokens=9)
        for i in range(5)
    ]
    tools = [
        record(50 + i, 1, stop_reason="tool_use", completion_tokens=70, tokenizer_completion_tokens=3) for i in range(5)
    ]
    _, outputs = compared(tmp_path / "r", told + hidden + shown + tools)
    # (100 + i) - 90 - (9 + i), of the twelve whose reasoning has a count
    assert (outputs.records, outputs.constant_tokens, outputs.residual_p95) == (12, 1.0, 0.0)
