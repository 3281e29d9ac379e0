"""The master's gate: what comes in is handed to Locust only from workers that have shown the run's token and introduced themselves.

Locust itself believes whoever connects: it gives users to a client that never reads its scenario, adds up any report, and
ends a run when a client says that it quits.
"""

import atexit
import collections.abc
import logging
import secrets

import gevent
import gevent.event
import pydantic
from locust import log as locust_log
from locust.exception import StopTest
from locust.rpc import Message
from locust.runners import STATE_MISSING, STATE_RUNNING, MasterRunner

from locustfiles.common.recording import messenger
from locustfiles.common.recording.joining import Challenge, Hello, Knock, Proof, Refused
from locustfiles.common.recording.messages import RecordsReport
from locustfiles.common.swarm import run_token
from locustfiles.common.swarm.guarded_port import SAID, shown
from locustfiles.common.swarm.outsider import Outsider
from locustfiles.common.swarm.presence import Presence

UNANSWERED = 5  # heartbeats, a second apart: whoever sends so many has a loop that runs, and would have answered
ASK_AGAIN = 5  # heartbeats, of a worker whose `Hello` may be lost
ANSWER_S = 3.0  # for a worker of an earlier master, which may report before it has been asked for the token
INTRODUCED_S = 15.0  # to read its scenario
REMEMBERED = 1000  # clients that have not been let in
YIELD_S = 1e-6
START = "locust -f locustfiles/sweep.py --scenario FILE --worker --master-host HOST"
log = logging.getLogger("swarmledger")


class Gate:
    """In front of a master's `handle_message`."""

    def __init__(self, runner: MasterRunner) -> None:
        self.runner = runner
        self.token = run_token.of_master(runner.master_bind_port)
        self.workers: set[str] = set()  # that have introduced themselves
        self.presence = Presence(runner.clients)
        #: told of one of an earlier master, or that Locust has forgotten
        self.on_stray: collections.abc.Callable[[str], None] = lambda worker: None
        atexit.register(run_token.forget, runner.master_bind_port, self.token)
        self._challenge = secrets.token_hex(16)
        self._clients: dict[str, Outsider] = {}
        self._told = 0
        self._open = gevent.event.Event()  # until then messages wait: nobody has registered for them
        self._handle = runner.handle_message
        runner.handle_message = self._on_message  # type: ignore[method-assign, assignment]

    def open(self) -> None:
        self._open.set()

    @property
    def awaited(self) -> list[str]:
        """Workers that have shown the token and are still reading their scenario."""
        return [worker for worker, client in self._clients.items() if client.proved and not client.refused]

    def admit(self, worker: str) -> None:
        """It has introduced itself, and fits: Locust learns of it."""
        self.workers.add(worker)
        client = self._clients.pop(worker, None)
        if client and client.ready:
            self._pass_on(worker, client.ready)

    def refuse(self, worker: str, why: str) -> None:
        """Send it away; nothing of it is heard any more."""
        self._client(worker).refused = True
        self.workers.discard(worker)
        messenger.send(self.runner, Refused(why), worker)

    def refuse_all(self, why: str) -> None:
        for worker in {*self.workers, *self._clients}:
            messenger.send(self.runner, Refused(why), worker)

    def dismiss(self) -> None:
        """At the master's end: Locust tells those that it lists, and not one that is not ready yet, or again."""
        for worker in {*self.workers, *self.awaited} - self.runner.clients.keys():
            self.runner.send_message("quit", client_id=worker)

    def _client(self, sender: str) -> Outsider:
        if sender not in self._clients and len(self._clients) >= REMEMBERED:
            self._clients.pop(next((c for c, client in self._clients.items() if not client.proved), sender), None)
        return self._clients.setdefault(sender, Outsider())

    def _on_message(self, sender: str, message: Message) -> None:
        self._open.wait()
        if message.node_id != sender:
            self._say(
                f"client {shown(sender)} sent `{shown(message.type)}` in the name of {shown(message.node_id)}: ignored; "
                "let nothing but this run's workers reach the master's port"
            )
        elif sender not in self.workers:
            try:
                self._from_outside(sender, message, self._client(sender))
            except (
                TypeError,
                LookupError,
                ValueError,
                AttributeError,
            ) as e:  # a message of a known kind and another form
                self._say(f"client {shown(sender)} sent `{shown(message.type)}` in no known form: {type(e).__name__}")
        else:
            self.presence.note(sender, message.type)
            if message.type.startswith("spawning"):
                self._give_back(sender)
            if self.presence.is_forgotten(sender, message.type):
                self.on_stray(sender)
            elif message.type not in (Knock.KIND, Proof.KIND):
                self._pass_on(sender, message)
            if message.type == "quit":  # its last one
                self.workers.discard(sender)
        # A flood of them, or reports that wait to be taken in, must not keep the others from running; after gevent.sleep(0) timers
        # would still wait for fifty messages.
        gevent.sleep(YIELD_S)

    def _give_back(self, worker: str) -> None:
        """Locust deals users again to a missing worker that is back by its heartbeat alone. What it was told while it was away
        it answers first, which ends its being missing: it would keep the users that it has, and get no others."""
        node = self.runner.clients.get(worker)
        if node is not None and node.state == STATE_MISSING:
            beat = {
                "state": STATE_RUNNING,
                "current_cpu_usage": node.cpu_usage,
                "current_memory_usage": node.memory_usage,
            }
            self._pass_on(worker, Message("heartbeat", beat, worker))

    def _pass_on(self, worker: str, message: Message) -> None:
        """What Locust makes of a message in an unexpected form must not end the greenlet that listens to all workers."""
        try:
            self._handle(worker, message)
        except StopTest:
            raise
        except Exception as e:
            log.error(
                "worker %s: its message `%s` failed here (%s: %s); have master and workers run the same versions",
                *(worker, shown(message.type), type(e).__name__, e),
            )
            locust_log.unhandled_greenlet_exception = True

    def _from_outside(self, sender: str, message: Message, client: Outsider) -> None:
        match message.type:
            case _ if client.refused:
                return
            case "client_ready":
                version = message.data if isinstance(message.data, (str, int)) and len(str(message.data)) < 60 else None
                client.ready = Message("client_ready", version, sender)
                self.runner.send_message("ack", client_id=sender)  # its index follows when Locust knows of it
                gevent.spawn_later(ANSWER_S, self._tell_unless_known, sender, message.type)
                gevent.spawn_later(INTRODUCED_S, self._tell_if_pending, sender)
            case Knock.KIND:
                client.knocked = True
                self._ask(sender, client)
            case Proof.KIND:
                self._check(sender, message, client)
            case "quit" if client.proved:  # while it read its scenario
                self._clients.pop(sender)
            case Hello.KIND if client.proved and client.ready:
                self._pass_on(sender, message)
            case "heartbeat":
                self._on_heartbeat(sender, client, message.data["state"])
            case _ if client.proved:
                if message.type == Hello.KIND or (
                    message.type == "stats" and RecordsReport.KIND in (message.data or ())
                ):
                    self.on_stray(sender)
            case "locustfile":
                why = f"this master hands out no locustfile; start the worker with its own: {START}"
                self.runner.send_message("locustfile", {"error": why}, sender)
                self._say(
                    f"client {shown(sender)} asked for the locustfile and did not get it; start a worker with its own: {START}"
                )
            case _:
                self._drop(sender, message, client)

    def _drop(self, sender: str, message: Message, client: Outsider) -> None:
        """A worker of an earlier master reports before it has been asked for the token; others have no business here."""
        self._ask(sender, client)
        kind = message.type[:60]
        if kind not in client.dropped and len(client.dropped) < 3 and not client.knocked:
            client.dropped.append(kind)
            gevent.spawn_later(ANSWER_S, self._tell_unless_known, sender, kind)

    def _tell_unless_known(self, sender: str, kind: str) -> None:
        client = self._clients.get(sender)
        if client and not (client.knocked or client.proved or client.refused):
            self._say(
                f"client {shown(sender)} sent `{shown(kind)}` and has not shown this run's token: ignored; "
                f"start a worker with {START}, and let nothing else reach the master's port"
            )

    def _tell_if_pending(self, sender: str) -> None:
        client = self._clients.get(sender)
        if client and client.knocked and not client.refused:
            self._say(
                f"worker {shown(sender)} has not introduced itself for {INTRODUCED_S:.0f} s: paused, or reading; it gets no users"
            )

    def _ask(self, sender: str, client: Outsider) -> None:
        if client.may_be_asked():
            messenger.send(self.runner, Challenge(self._challenge), sender)

    def _check(self, sender: str, message: Message, client: Outsider) -> None:
        try:
            answers = pydantic.TypeAdapter(Proof).validate_python(message.data).answers
        except pydantic.ValidationError:
            answers = []
        client.proved = run_token.proves(self.token, self._challenge, sender, answers)
        client.heartbeats = 0
        if not client.proved:
            given = f"start it with {run_token.VARIABLE} set to the master's"
            self._say(f"worker {shown(sender)} is refused: it has not this run's token; {given}")
            self.refuse(
                sender,
                f"worker {sender}: has not the token of this master; {given}, which a master that made its own shows",
            )

    def _on_heartbeat(self, sender: str, client: Outsider, state: object) -> None:
        if not client.beats(state):
            if not client.proved:
                self._ask(sender, client)
            return
        if not client.proved or client.heartbeats % ASK_AGAIN == 0:
            self._ask(sender, client)
        if not client.proved and client.heartbeats > UNANSWERED:
            self._send_away(sender, client)

    def _send_away(self, sender: str, client: Outsider) -> None:
        """Locust's own worker says of which message it does not know the type, and ends when it is told to."""
        version = shown(client.ready.data) if client.ready else "of unknown version"
        why = "it runs without Swarmledger's locustfile, or with another version of it"
        self._say(f"worker {shown(sender)} (Locust {version}) is refused: {why}; start it with {START}")
        self.runner.send_message(f"refused by the master: {why}; start it with {START}", client_id=sender)
        if Hello.KIND in client.dropped:
            self.refuse(sender, f"worker {sender}: {why}; have master and workers run the same version")
        client.refused = True
        self.runner.send_message("quit", client_id=sender)

    def _say(self, line: str) -> None:
        """Not for ever: whoever reaches the port can have it said."""
        self._told += 1
        if self._told <= SAID:
            log.error(line)
