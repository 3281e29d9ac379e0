"""The conversation that a user holds, turn by turn, and how long it thinks in between."""

import random
import time

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.session import Session
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt
from locustfiles.contract.error_classes import ErrorClass
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.scenario import Scenario
from locustfiles.contract.scenario.targets import Target


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

    def pause_s(self, record: RequestRecord, target: Target, scenario: Scenario) -> float:
        """What a user waits after a call of a target: before its next turn as long as the turn, the sessions or the load say,
        else as long as the load says; after a failure no less than the error pause."""
        load, session = scenario.load_of(target), self._session
        pause_s = load.think_s
        if session:
            if record.error:
                session.failed()
            if not session.ended:
                pause_s = self._between(session, load)
        if record.error is not None and record.error != ErrorClass.CANCELLED:
            pause_s = max(pause_s, scenario.error_pause_s)
        self.due = time.perf_counter() + pause_s
        return pause_s

    def _between(self, session: Session, load: Load) -> float:
        """Two turns, seconds."""
        own, between = session.turn.think_s, load.held.think_s
        if own is not None:
            return own
        return between.draw(self._random) if between else load.think_s
