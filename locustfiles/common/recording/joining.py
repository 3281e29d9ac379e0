"""How a worker joins its master: the messages of `messages` that come before it takes part in a run, and when it is sent away.

worker                                master
Knock (at its start)             ->
                                 <-   Challenge
Proof, by the run's token        ->
Hello (it has read its scenario) ->   now Locust knows of it, and the run
                                 <-   Ping, answered by Pong; or Refused; or ScenarioChosen, answered by another Hello
"""

import dataclasses

from locustfiles.common.recording.messages import Message


@dataclasses.dataclass(frozen=True, slots=True)
class Knock(Message):
    """A worker is there, and asks what it has to answer, before it reads its scenario.

    Lost: the master asks at its next heartbeat. Twice: it is asked twice, and answers twice.
    """

    KIND = "ledger_knock"


@dataclasses.dataclass(frozen=True, slots=True)
class Challenge(Message):
    """The master asks for the run's token: of whoever knocks, or sends anything before it has shown it; of a worker that has
    not introduced itself again every few seconds.

    Lost: sent for the worker's next heartbeat. Twice: answered twice.
    """

    KIND = "ledger_challenge"
    challenge: str


@dataclasses.dataclass(frozen=True, slots=True)
class Proof(Message):
    """A worker's answer to `Challenge`, by the run's token; its `Hello` follows, where that is due. A wrong one: it is refused.

    Lost: as if the challenge was. Twice: no effect.
    """

    KIND = "ledger_proof"
    # one for each token that it may be: of a worker that was given none, those of this machine's masters
    answers: list[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Hello(Message):
    """A worker introduces itself: once when it has read its scenario (or could not), and again to a master that did not
    know it (`Stranger`). Until then Locust does not know of it, and gives it no users.

    Lost: sent again with the next `Proof`; the master waits 10 s for it at the start of a run, then goes on without. Twice: the
    worker is told of the run again, its clock is compared again.
    """

    KIND = "ledger_hello"
    content: str  # hash of its scenario, payloads, tokenizers and traces
    host: str
    problem: str | None  # why it cannot serve
    again: bool  # it has served a run before
    versions: dict[str, str] = dataclasses.field(default_factory=dict)  # of what touches a request there
    chosen: str = ""  # it has loaded, or could not, what `ScenarioChosen` of this content named


@dataclasses.dataclass(frozen=True, slots=True)
class ScenarioChosen(Message):
    """The master tells which scenario its runs are of from now on: all workers when another one is chosen in the web UI, and
    those that come later with none or an earlier one. Never during a run to one that takes part in it. A worker loads the file
    of that path, from its own working folder, and introduces itself anew.

    Lost: said again every 5 s until the worker has answered; until then it is told of no run, and its users idle. Twice: once
    loaded, it says `Hello` again; one that could not load it tries again.
    """

    KIND = "ledger_scenario"
    file: str  # as the master names it
    content: str  # hash, as in `Hello`


@dataclasses.dataclass(frozen=True, slots=True)
class Refused(Message):
    """The master wants nothing of a worker, which ends with exit code 1: it has another token (`Proof`), does not fit (`Hello`),
    or, to all, one of them does not before a headless run began.

    Lost: the worker stays, and idles. Twice: it has ended.
    """

    KIND = "ledger_refuse"
    why: str


@dataclasses.dataclass(frozen=True, slots=True)
class Stranger(Message):
    """The master got a report of a worker that it does not know: of an earlier master, or silent for so long that Locust has
    given it up. The worker joins anew. Lost: sent for its next report. Twice: ignored until 5 s after it has joined."""

    KIND = "ledger_stranger"


@dataclasses.dataclass(frozen=True, slots=True)
class Ping(Message):
    """The master asks a new worker for its clock, ten times.

    Lost: the others do; without any, the offset is empty and taken for 0. Twice: answered twice.
    """

    KIND = "ledger_ping"
    sent: float  # by the master's clock


@dataclasses.dataclass(frozen=True, slots=True)
class Pong(Message):
    """A worker's answer to `Ping`. The quickest round trip counts, so a late double changes nothing."""

    KIND = "ledger_pong"
    sent: float  # the ping's
    now: float  # by the worker's clock
