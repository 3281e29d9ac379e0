"""Events that are nothing but a piece of text are read in one step: to the same as by all the steps of any event."""

import pytest

from locustfiles.common.dialects import openai
from locustfiles.common.dialects.openai import openai_event
from locustfiles.common.dialects.parsed import AnswerBuilder

KEYS = {
    "event": ["choices", "id", "usage", "x_groq", "service_tier", "error"],
    "choice": ["index", "delta", "message", "text", "finish_reason", "stop_reason", "usage", "error", "logprobs"],
    "delta": ["role", "content", "refusal", "reasoning", "tool_calls", "audio", "unknown"],
}
ODD = [
    None, "", "a", "<reasoning>a", "stop", "error", 0, 1, -1, True, 1.5, [], [1], [{}], {}, {"a": 1}, {"content": "b"}, {"message": "c"},
    {"prompt_tokens": 3, "completion_tokens": 2}, {"usage": {"completion_tokens": 4}}, [{"function": {"arguments": "{}"}}],
    [{"text": "d"}], [{"index": 0, "delta": {"content": "e"}}, {"index": 1, "delta": {"content": "f"}}],
]  # fmt: skip


def plain(content: str = "Hi") -> tuple[dict, dict, dict]:
    delta = {"content": content}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}
    return {"id": "c1", "choices": [choice], "usage": None}, choice, delta


def built(events: list[dict]) -> str:
    """All that is known after these events, and after the end."""
    builder = AnswerBuilder()
    for number, event in enumerate(events):
        openai_event(builder, event, float(number))
    seen = {name: value for name, value in vars(builder).items() if name not in ("parsed", "billing")}
    return repr((seen, vars(builder.billing), builder.finish()))


@pytest.mark.parametrize(("place", "key"), [(place, key) for place, keys in KEYS.items() for key in keys])
def test_an_event_with_anything_more_is_read_alike_in_one_step_and_in_all(place, key, monkeypatch):
    found = {}
    for way in ("one step", "all steps"):
        for number, value in enumerate(ODD):
            for first in (True, False):  # of its stream
                event, choice, delta = plain()
                {"event": event, "choice": choice, "delta": delta}[place][key] = value
                found.setdefault((number, first), []).append(built([event, plain()[0]] if first else [plain()[0], event]))
        monkeypatch.setattr(openai, "_plain_text", lambda *event: False)
    for (number, _), (at_once, by_steps) in found.items():
        assert at_once == by_steps, ODD[number]


def test_a_piece_of_text_takes_one_step(monkeypatch):
    monkeypatch.setattr(openai, "_event", lambda *event: pytest.fail("all steps"))
    builder = AnswerBuilder()
    for text in ("", "Hi", " you"):
        openai_event(builder, plain(text)[0], 1.5)
    parsed = builder.finish()
    assert (parsed.text, builder.times, parsed.request_id, builder.open_choices) == ("Hi you", [1.5, 1.5], "c1", {0})
