"""Conversations of a run beside the endpoint's log: what each request carried, compared with what had been said before it."""

import collections
import itertools
import json
import pathlib

from locustfiles.common.calls.sender import Sender
from locustfiles.common.calls.session import Session
from locustfiles.common.calls.stage_spec import StageSpec
from locustfiles.common.prompts.payloads import Prompt, prompt_of
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.sessions import Sessions
from scripts.emulator.truth import digest

Held = dict[str, list]  # a session's id -> its rows, in the order of their start


def write_conversations(path: pathlib.Path, lines: int, turns: int, **more: object) -> list[dict]:
    """A payload of so many conversations, no two of which say the same; more: what each line has besides."""
    made = [
        {"id": f"c{n}", "turns": [{"user": f"Conversation {n}, question {k}: go on."} for k in range(1, turns + 1)]}
        for n in range(lines)
    ]
    made = [line | more for line in made]
    path.write_text("".join(json.dumps(line) + "\n" for line in made))
    return made


def sessions_of(rows: list) -> Held:
    found = collections.defaultdict(list)
    for row in sorted(rows, key=lambda r: (r.started_at, r.call, r.attempt)):
        found[row.session].append(row)
    return dict(found)


def turns_in_order(sessions: Held) -> bool:
    """Each session is one user's, its turns come one after the other from the first on, none before the last one's answer."""
    for rows in sessions.values():
        assert len({(r.worker, r.user, r.stage, r.target, r.payload, r.prompt_id, r.turns) for r in rows}) == 1
        assert [r.turn for r in rows] == list(range(1, len(rows) + 1))
        for one, following in itertools.pairwise(rows):
            assert following.started_at >= one.started_at + one.latency_ms / 1000 - 0.002
    return True


def one_at_a_time(rows: list) -> bool:
    """No user begins a session before its last one is over."""
    of_user = collections.defaultdict(list)
    for row in sorted(rows, key=lambda r: (r.started_at, r.call, r.attempt)):
        of_user[row.worker, row.user, row.stage].append(row.session)
    for held in of_user.values():
        runs = [session for session, _ in itertools.groupby(held)]
        assert len(runs) == len(set(runs))
    return True


def history_is_exact(sessions: Held, truth: dict[str, dict], lines: list[dict]) -> int:
    """Each request carried what was said before it, word by word, and its own message; a turn that failed was never said. The
    messages that were compared."""
    by_id, compared = {line["id"]: line for line in lines}, 0
    for rows in sessions.values():
        line = by_id[rows[0].prompt_id]
        said = [digest("system", line["system"])] if "system" in line else []
        for row in rows:
            logged = truth[row.request_id]
            asked = [*said, digest("user", line["turns"][row.turn - 1]["user"])]
            if row.error is None or logged["heard"]:  # what is refused at the door is not read
                assert logged["heard"] == asked, f"{row.session}, turn {row.turn}"
                compared += len(asked)
            said = said if row.error else [*asked, logged["said"]]
    return compared


def hold(
    sender: Sender, name: str, prompt: Prompt, rules: Sessions, stop: int = 99
) -> tuple[Session, list[RequestRecord]]:
    """Hold a conversation without a run around it, at most so many turns of it."""
    target = sender.scenario.target(name)
    session, records = Session(target, prompt, rules, StageSpec(1, name, "p", 1)), []
    while not session.ended and len(records) < stop:
        record = sender.call(1, target, prompt, session.spec, "measure", session=session)
        records.append(record)
        if record.error:
            session.failed()
    return session, records


def next_body(session: Session) -> dict:
    """What its next turn would send."""
    return json.loads(session.next("w", 1).body.body)


def conversation(*turns: dict, **more: object) -> Prompt:
    return prompt_of(json.dumps({"id": "c", "turns": list(turns)} | more), 1)
