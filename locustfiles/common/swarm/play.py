"""The conversation that a user holds, turn by turn, and how long it thinks in between."""

import random
import time

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.session import Session
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.scenario import Scenario


class Play:
    """Of one user."""

    def __init__(self, seed_text: str) -> None:
        self._random = random.Random(f"{seed_text}/think")
        self._session: Session | None = None
        self.due = 0.0  # of the next turn, perf_counter seconds

    def under_way(self, spec: StageSpec) -> Session | None:
        """The session whose next turn is now. One of another stage ends where it is: its turns would be of two loads."""
        if self._session and (self._session.ended or self._session.spec.first != spec.first):
            self._session = None
        return self._session

    def begin(self, sender: Sender, spec: StageSpec, prompt: Prompt) -> Session | None:
        """A new one, behind its target's prefix, which stays through its turns; None of a prompt that is no conversation."""
        if prompt.turns:
            target = sender.scenario.target(spec.target)
            said = sender.sent(target, spec.payload, prompt)
            self._session = Session(target, said, sender.scenario.load_of(target).held, spec)
        return self._session

    def pause_s(self, record: RequestRecord, scenario: Scenario) -> float:
        """What a user waits after a call: before its next turn as long as the turn, the sessions or the load say, else as long
        as the load says; after a failure no less than the error pause."""
        load, session = scenario.load_of(scenario.target(record.target)), self._session
        if session and record.error:
            session.failed()
        pause_s = load.think_s
        if session and not session.ended:
            between = load.held.think_s
            own = session.turn.think_s
            pause_s = own if own is not None else between.draw(self._random) if between else load.think_s
        failed = record.error not in (None, ErrorClass.CANCELLED)
        pause_s = max(pause_s, scenario.error_pause_s) if failed else pause_s
        self.due = time.perf_counter() + pause_s
        return pause_s
