"""Records of made-up conversations."""

from locustfiles.contract.record import RequestRecord
from tests.helpers.made_run import record, streamed

A, B = 10.0, 20.0  # the window of what is made by hand


def phase(at: float, a: float = A, b: float = B) -> str:
    return "settle" if at < a else "measure" if at < b else "hold"


def turn(name: str, number: int, planned: int | None, at: float, latency: float, **other) -> RequestRecord:
    """One request of a conversation. By default its prompt has 100 tokens a turn, its answer 10."""
    spot = {"session": name, "turn": number, "turns": planned, "prompt_id": name, "phase": phase(at)}
    spot |= {"prompt_tokens": 100 * number, "completion_tokens": 10, "target": "bedrock", "service": "bedrock"}
    return record(at, latency, **(spot | other))


def talk(
    name: str, at: float, latencies: list[float], think: float = 1.0, planned: int | None = -1, **other
) -> list[RequestRecord]:
    """A conversation whose turns take so long, with `think` s between them. planned: as many as there are."""
    planned = len(latencies) if planned == -1 else planned
    found = []
    for number, latency in enumerate(latencies, 1):
        found.append(turn(name, number, planned, at, latency, **other))
        at += latency + think
    return found


def chatting(
    users: int,
    a: float,
    b: float,
    turns: int = 3,
    latency: float = 1.0,
    think: float = 4.0,
    lead: float = 22.0,
    **other,
) -> list[RequestRecord]:
    """Users that have one conversation after the other from a - lead until one begins a turn at b or later, each as all others do."""
    found, cycle = [], turns * latency + (turns - 1) * think
    for user in range(users):
        at, n = a - lead + cycle * user / users, 0
        while at < b + latency:
            n += 1
            for number in range(1, turns + 1):
                if at >= b + latency:
                    break
                spot = {
                    "session": f"{user}-{n}",
                    "turn": number,
                    "turns": turns,
                    "user": user,
                    "prompt_id": f"{user}-{n}",
                }
                spot |= {"phase": phase(at, a, b), "users": users, "in_flight": users, "prompt_tokens": 100 * number}
                found.append(streamed(at, latency, latency / 4, 10, **(spot | other)))
                at += latency + (think if number < turns else 0.0)
    return found
