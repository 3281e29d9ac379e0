"""How near the prompts of a replay come to its trace's lengths: told above a tenth, refused above a half."""

import json

import pytest

from locustfiles.common.planning.arrivals import Arrival
from locustfiles.common.planning.inputs import load_inputs
from locustfiles.common.planning.trace_fit import ByLength, fit
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.stage_asked import TraceFit
from tests.load.test_inputs import BOTH, TGI, make, said


def prompts(*tokens: int) -> list[Prompt]:
    return [Prompt(str(n), "x", None, prompt_tokens=n) for n in tokens]


def trace(*tokens: int | None) -> list[Arrival]:
    return [Arrival(float(i), n) for i, n in enumerate(tokens)]


def test_the_nearest_lines_are_all_that_are_equally_near():
    lines = ByLength(prompts(10, 20, 30))
    assert [[p.prompt_tokens for p in lines.lines(n)] for n in (1, 11, 25, 400)] == [[10], [10], [20, 30], [30]]


def test_what_is_sent_in_place_of_a_traces_lengths_by_hand():
    # 100 -> 90, 250 -> 200 or 300 (mean 250, 50 off either way), 1000 -> 300: asked 450 and sent 640 / 3 = 213.3 on
    # average, off (10 + 50 + 700) / 1350
    assert fit(trace(100, 250, None, 1000), ByLength(prompts(90, 200, 300))) == TraceFit(
        450, pytest.approx(640 / 3), 760 / 1350
    )
    assert fit(trace(None, None), ByLength(prompts(90))) is None


def replayed(tmp_path, *asked: int) -> str:
    """A scenario that replays a trace of these lengths with lines of 100 and 200 tokens."""
    (tmp_path / "t.csv").write_text("timestamp,prompt_tokens\n" + "".join(f"{i},{n}\n" for i, n in enumerate(asked)))
    lines = [json.dumps({"prompt": "x", "prompt_tokens": n}) for n in (100, 200)]
    return make(tmp_path, TGI, lines=lines, load={"replay": "t.csv", "max_users": 5})


@pytest.mark.parametrize(("asked", "told"), [((100, 200, 210), False), ((100, 200, 300), True)])
def test_a_replay_that_is_more_than_a_tenth_off_is_told_before_the_run(tmp_path, asked, told):
    inputs = load_inputs(replayed(tmp_path, *asked), BOTH)
    # 10 of 510 tokens are 2 %; 100 of 600 are 17 %: 200 asked on average, (100 + 200 + 200) / 3 sent
    assert inputs.far_replays == told * [
        "target `t`, payload `p`: t.csv asks for 200 prompt tokens on average, the nearest lines have 167 (17 % off in sum); "
        "have them made (`synthetic:` with `trace:`), add lines of such lengths to the payload, with their `prompt_tokens`, or remove "
        "the trace's column"
    ]


def test_a_trace_whose_lengths_the_payload_cannot_give_is_refused(tmp_path):
    replayed(tmp_path, 100, 3000)
    lines = [json.dumps({"prompt": "x", "prompt_tokens": n}) for n in (100, 200)]
    message = said(BadScenario, tmp_path, TGI, lines=lines, load={"replay": "t.csv", "max_users": 5})
    # asked 1550 on average, sent 150, off 2800 / 3100
    assert message.partition(": ")[2] == (
        "t.csv asks for 1,550 prompt tokens on average, the nearest lines of payload `p` have 150 (90 % off in sum); have them "
        "made (`synthetic:` with `trace:`), add lines of such lengths to the payload, with their `prompt_tokens`, or remove the trace's "
        "column"
    )
