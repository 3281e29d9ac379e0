"""A conversation while it is held: what its next turn sends, and what was said before it."""

import dataclasses
import re
import typing

from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.dialects.history import History, ToolCall, call_items, text_items
from locustfiles.common.dialects.request import Body, build, dialect_of
from locustfiles.common.dialects.spoken import response_id, spoken
from locustfiles.common.prompts.conversations import Turn
from locustfiles.common.prompts.messages import texts_of
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.common.prompts.token_counter import counter_of
from locustfiles.common.transport.exchange import Exchange
from locustfiles.contract.scenario.sessions import PLACE, Sessions
from locustfiles.contract.scenario.targets import Target

_SAGEMAKERS = "X-Amzn-SageMaker-Session-Id"
_LONGEST_ID = 64  # characters of a prefix-aware id; other headers take more
_OFFERS = frozenset(("tools", "toolConfig", "functions"))  # parameters by which a model may call tools


class Asked(typing.NamedTuple):
    """What a call sends. before: tokens of the request beside the prompt's, by the target's tokenizer; facts: what its
    records have of the session."""

    prompt: Prompt
    body: Body
    before: int = 0
    session: "Session | None" = None
    facts: dict[str, typing.Any] = {}

    def heard(self, told: dict[str, typing.Any], exchange: Exchange, text: str) -> dict[str, typing.Any]:
        """Hand an answer to the session; what its record has of that. told: what the record says of the answer."""
        if self.session is None or told["error"] is not None:
            return {}
        self.session.heard(self.body, exchange, text, told["tokenizer_completion_tokens"] or 0)
        return {"session_ended": self.session.why}


class Session:
    """Of one user with one target, in one stage. `ended`: nothing of it is sent any more, whether all was said or not."""

    def __init__(self, target: Target, prompt: Prompt, rules: Sessions, spec: StageSpec) -> None:
        self.target, self.prompt, self.rules, self.spec = target, prompt, rules, spec
        self.ended = False
        self.why: str | None = None  # it ended though all worked and turns were left: the record's `session_ended`
        self.number = 0  # of the last turn that was sent
        self._id: str | None = None
        self._unsaid: list[int] = []  # turns that failed and are not in the history
        self._history = History(dialect_of(target), rules.history == "kept")
        self._counter = counter_of(target.tokenizer) if target.tokenizer else None
        self._answers_tokens = 0  # by the target's tokenizer, of those in the history
        self._opened: str | None = None  # SageMaker's own id of it
        self._made = 0  # calls of tools that the model did not make

    @property
    def turn(self) -> Turn:
        """The one that is next."""
        return self.prompt.turns[self.number]

    def next(self, worker: str, call: int) -> Asked:
        """The next turn's request; worker, call: of the sender, which make the first one's the session's id."""
        self._id = self._id or f"{worker}/{call}"
        self.number += 1
        prompt = self.prompt.turn(self.number)
        body = build(self.target, prompt, self._history)
        facts = {"session": self._id, "turn": self.number, "turns": len(self.prompt.turns)}
        body = dataclasses.replace(body, headers=self._headers(body.headers, self._id))
        so_far = self.prompt.so_far(self.number, self._unsaid)
        if (tokens := self._counted()) is not None:
            so_far = dataclasses.replace(so_far, asked=so_far.asked._replace(counted=tokens))
        return Asked(so_far, body, self._answers_tokens, self, facts)

    def _counted(self) -> int | None:
        """Tokens of what was said so far behind a prefix, whose number comes with no other conversation; None without one."""
        first = self.prompt.asked.counted
        if first is None or self._counter is None:
            return None
        said = [turn for n, turn in enumerate(self.prompt.turns[: self.number], 1) if n > 1 and n not in self._unsaid]
        more = sum(map(self._counter.text, (text for turn in said for text in texts_of(turn.message["content"]))))
        less = self.prompt.turns[0].message["content"] if 1 in self._unsaid else ""
        return first + more - sum(map(self._counter.text, texts_of(less)))

    def _headers(self, headers: dict[str, str], own: str) -> dict[str, str]:
        """A target's ids follow the session: its own where the scenario has a place for it, and SageMaker's."""
        plain = re.sub(r"[^A-Za-z0-9]+", "-", own)[-_LONGEST_ID:].lstrip("-")
        told = {name: value.replace(PLACE, plain) for name, value in headers.items()}
        return told | ({_SAGEMAKERS: self._opened} if self._opened else {})

    def heard(self, body: Body, exchange: Exchange, text: str, tokens: int) -> None:
        """Of a turn that worked: its answer, or the recorded one, is history now."""
        opened = exchange.headers.get("x-amzn-sagemaker-new-session-id", "").partition(";")[0].strip()
        self._opened = opened or self._opened
        if self._history.kept:
            self._history.last = response_id(body, exchange)
        if self.number == len(self.prompt.turns):
            self.ended = True
        elif self._history.kept and self._history.last is None:
            self._end("no_id")
        elif self.rules.answers == "recorded":
            self._go_on_as_recorded()
        else:
            self._go_on(body, exchange, text, tokens)

    def failed(self) -> None:
        """The turn under way did not work, whatever was tried."""
        following = self.prompt.turns[self.number :]
        if self.rules.after_failure == "end" or not following:
            self.ended = True
        elif self.rules.answers == "recorded":
            self._go_on_as_recorded()
        else:
            self._history.forget()
            self._unsaid.append(self.number)
            self.ended = following[0].user is None  # results of tools that nothing has called

    def _go_on(self, body: Body, exchange: Exchange, text: str, tokens: int) -> None:
        """The history is what the model said."""
        offers = _OFFERS & (self.target.parameters | self.prompt.turns[self.number - 1].parameters).keys()
        items, calls = spoken(body, exchange, text) if offers else (text_items(self._history.dialect, text), [])
        if calls and self.turn.user is None:
            self._answers_tokens += tokens
            self._answer_calls(items, calls)
        elif self.turn.user is None and self.turn.calls_known:
            self._go_on_as_recorded()
        elif calls or self.turn.user is None or not text.strip():
            self._end("no_result" if calls else "no_call" if self.turn.user is None else "no_text")
        else:
            self._answers_tokens += tokens
            self._history.answered(items)

    def _end(self, why: str) -> None:
        self.ended, self.why = True, why

    def _answer_calls(self, items: list[dict], calls: list[ToolCall]) -> None:
        """Each call gets the recorded result of a tool of its name: the first one the first, those beyond them the last one."""
        recorded: dict[str, list[str]] = {}
        for result in self.turn.results:
            recorded.setdefault(result.name, []).append(result.content)
        if any(call.name not in recorded for call in calls):
            return self._end("no_result")
        results = []
        for call in calls:
            left = recorded[call.name]
            results.append((call, left.pop(0) if len(left) > 1 else left[0]))
        self._history.answered(items)
        self._history.give(results)

    def _go_on_as_recorded(self) -> None:
        """The history is what the payload's line has as the answer, calls of tools too."""
        answer, dialect = self.prompt.turns[self.number - 1].answer, self._history.dialect
        if self._counter and answer:
            self._answers_tokens += self._counter.text(answer)
        if self.turn.user is not None:
            self._history.answered(text_items(dialect, answer or ""))
            return
        made = []
        for result in self.turn.results:
            self._made += 1
            made.append((ToolCall(f"call{self._made:05}", result.name, result.input or {}), result.content))
        self._history.answered(call_items(dialect, answer, [call for call, _ in made]))
        self._history.give(made)
