"""A prefix before conversations: the same in all turns of one, another number in each, counted and asked of the cache exactly."""

import json
import re

import pytest

from locustfiles.common.calls.session import Session
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.dialects.history import text_items
from locustfiles.common.planning.inputs import load_inputs
from locustfiles.common.prompts.token_counter import Counter
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.sessions import Sessions
from tests.helpers import tokenizer_files
from tests.load.test_inputs import make
from tests.load.test_prefixed import ALL, CHAT, CLAUDE, MESSAGES, NUMBER

TURNS = {"id": "c", "turns": [{"user": "one two three"}, {"user": "four five"}, {"user": "six"}]}
TOLD = TURNS | {"system": "be brief"}
#: ten words of the prefix and the number's five, with what is said up to each turn: 3, 5, 6 words, and two of a system text
COUNTED = {"alone": [18, 20, 21], "system": [20, 22, 23]}
BARE = {key: value for key, value in CHAT.items() if key != "name"} | {"name": "k"}
TARGETS = {"converse": CLAUDE, "messages": MESSAGES | {"name": "k"}, "chat": BARE}


def inputs_of(tmp_path, target: dict, line: dict, prefix: dict, **keys):
    tokenizer_files.words(tmp_path / "t.json")
    target = target | {"tokenizer": "t.json", "prefix": prefix}
    return load_inputs(make(tmp_path, target, lines=[json.dumps(line)], **keys), ALL)


def bodies_of(inputs) -> tuple[list[str], list[int | None]]:
    """The JSON of a conversation's requests, each answered with a word, and what is counted of each."""
    [target] = inputs.scenario.targets
    session = Session(target, inputs.sent(target, "p", inputs.payloads["p"][0]), Sessions(), StageSpec(1, "k", "p", 1))
    bodies, counts = [], []
    for _ in range(3):
        asked = session.next("w", 1)
        bodies.append(asked.body.body.decode())
        counts.append(Counter(str(target.tokenizer)).prompt(target, asked.prompt))
        session._history.answered(text_items(session._history.dialect, "yes"))
    return bodies, counts


@pytest.mark.parametrize("line", ["alone", "system"])
@pytest.mark.parametrize("api", TARGETS)
def test_all_turns_have_the_prefix_once_and_one_number(tmp_path, api, line):
    point = {} if api == "chat" else {"cache_point": "5m"}
    inputs = inputs_of(tmp_path, TARGETS[api], TOLD if line == "system" else TURNS, {"shared_tokens": 10} | point)
    found = [bodies_of(inputs) for _ in range(2)]
    for bodies, counts in found:
        assert counts == COUNTED[line]
        numbers = [re.findall(NUMBER.replace("( ", "(?: "), body) for body in bodies]
        assert [len(each) for each in numbers] == [1, 1, 1] and len({each[0] for each in numbers}) == 1
        assert [body.count("yes") for body in bodies] == [0, 1, 2]
        marks = [len(re.findall('"cachePoint"|"cache_control"', body)) for body in bodies]
        assert marks == ([0, 0, 0] if api == "chat" else [1, 1, 1])
        for body in map(json.loads, bodies):
            assert ("be brief" in str(body.get("system", body["messages"][0]))) == (line == "system")
    assert found[0][0][0] != found[1][0][0]  # another conversation has another number


def test_the_share_that_is_asked_of_the_cache_is_that_of_first_turns(tmp_path):
    asked = {
        line: inputs_of(tmp_path, CLAUDE, said, {"shared_tokens": 10, "cache_point": "5m"}).cache_asked("k", "p").share
        for line, said in {"alone": TURNS, "system": TOLD}.items()
    }
    # ten of the 18 tokens of its first turn; of 20 with a system text, which stands behind the prefix
    assert asked == {"alone": pytest.approx(10 / 18), "system": pytest.approx(10 / 20)}


def test_a_prefix_that_a_failed_turn_would_take_along_is_refused(tmp_path):
    load = {"users": [1], "measure_s": 1, "sessions": {"after_failure": "go_on"}}
    with pytest.raises(
        BadScenario, match="`prefix` stands in the first turn of conversation `c`, which `after_failure"
    ) as e:
        inputs_of(tmp_path, CLAUDE, TURNS, {"shared_tokens": 10}, load=load)
    assert "add `system` to the line" in str(e.value) and "\n" not in str(e.value)
    assert inputs_of(tmp_path, CLAUDE, TOLD, {"shared_tokens": 10}, load=load)
