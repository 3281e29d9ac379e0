"""Bodies that are kept are those that would be built, and take a bounded space."""

import dataclasses

import pytest

from locustfiles.common.calls import kept_bodies
from locustfiles.common.calls.kept_bodies import KeptBodies
from locustfiles.common.dialects.request import build
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.scenario.targets import BedrockTarget
from tests.helpers.contents import CONVERSE, user

CHAT = BedrockTarget(name="chat", service="bedrock", model_id="meta.llama3-8b-v1:0", stream=True)
COLDER = CHAT.model_copy(update={"parameters": {"temperature": 0}})  # of the same name


def test_each_target_and_prompt_has_the_body_that_is_built_for_it():
    kept, prompts = KeptBodies(), [Prompt(str(n), f"Tell me of {n}.", None) for n in range(3)]
    longer = [dataclasses.replace(prompts[0], parameters={"max_tokens": n}) for n in (5, 6)]  # as a trace asks for it
    for _ in range(2):
        for target in (CHAT, COLDER):
            for prompt in prompts + longer:
                assert kept.of(target, prompt) == build(target, prompt)
    assert kept.of(CHAT, prompts[0]) is kept.of(CHAT, prompts[0])


def test_prompts_that_are_made_for_one_call_and_forgotten_are_never_taken_for_one_another():
    kept = KeptBodies()
    for n in range(2000):  # an id() is given again as soon as its object is gone
        assert f"word {n}." in kept.of(CHAT, Prompt("1", f"word {n}.", None)).body.decode()


def test_what_is_kept_is_bounded_and_large_bodies_are_not_kept(monkeypatch):
    monkeypatch.setattr(kept_bodies, "MOST_BYTES", 1000)
    monkeypatch.setattr(kept_bodies, "AROUND", 0)
    monkeypatch.setattr(kept_bodies, "LARGE", 400)
    kept = KeptBodies()
    for n in range(50):
        kept.of(CHAT, Prompt(str(n), "x" * 100, None))
        # 100 characters and what Converse puts around them
        assert sum(len(body.body) for *_, body in kept._kept.values()) == kept._bytes <= 1000
    large = Prompt("large", "x" * 400, None)
    assert kept.of(CHAT, large) is not kept.of(CHAT, large)


def test_of_bodies_with_media_the_first_are_kept_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(kept_bodies, "LARGE", 100)
    pictures = [user(CONVERSE["image"], {"text": text}) for text in ("a", "b", "c")]
    prompts = [Prompt(str(n), None, [message]) for n, message in enumerate(pictures)]
    monkeypatch.setattr(kept_bodies, "MEDIA_BYTES", 2 * len(build(CHAT, prompts[0]).body))
    kept = KeptBodies()
    for prompt in prompts:
        assert kept.of(CHAT, prompt) == build(CHAT, prompt)
    same = [kept.of(CHAT, prompt) is kept.of(CHAT, prompt) for prompt in prompts]
    assert same == [True, True, False]


def test_what_cannot_be_built_is_said_each_time():
    titan = BedrockTarget(name="t", service="bedrock", model_id="amazon.titan-text-lite-v1", api="invoke", stream=True)
    prompt = Prompt("1", None, [{"role": "user", "content": "Hi"}])
    kept = KeptBodies()
    for _ in range(2):
        with pytest.raises(BadPayload, match="takes text"):
            kept.of(titan, prompt)
