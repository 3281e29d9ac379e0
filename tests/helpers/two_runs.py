"""Two run folders of one target, the second slower by a factor; closed loop, times drawn from a seed."""

import pathlib
import random

from tests.helpers.made_run import P4D, made_run, record, window

HASH = "ab12" * 16


def drawn_run(
    path: pathlib.Path,
    slower: float = 1.0,
    users=(2, 5),
    seed: int = 1,
    window_s: float = 30.0,
    failed: int = 0,
    tokens: int = 20,
    target=P4D,
    **keys,
) -> pathlib.Path:
    """Stages of so many users, each answer about `slower` x 0.4 s, half of them within 10 %; `failed` at the end of each stage."""
    draw, records, stages = random.Random(seed), [], []
    for number, n in enumerate(users, start=1):
        a = 100.0 * number
        spot = {"stage": number, "users": n, "in_flight": n, "target": target["name"], "service": target["service"]}
        for user in range(n):
            at = a - draw.random()
            while at < a + window_s:
                latency = slower * 0.4 * draw.lognormvariate(0, 0.15)
                phase = "settle" if at < a else "measure"
                counts = {"prompt_tokens": 50, "completion_tokens": tokens}
                times = {"ttft_ms": 100 * latency, "last_token_ms": 1000 * latency, "chunks": tokens}
                name = f"{number}-{user}-{len(records)}"
                records.append(record(at, latency, user=user, phase=phase, prompt_id=name, **spot | counts | times))
                at += latency
        broken = {"error": "server", "token_source": "none", "prompt_token_source": "none"}
        records += [record(a + window_s - 1, 0.01, prompt_id=f"f{i}", **spot | broken) for i in range(failed)]
        stages.append(window(number, a, a + window_s, users=n, target=target["name"]))
    payloads = {"en": {"file": "payloads/en.jsonl", "sha256": HASH, "prompts": 9}}
    return made_run(path, records, stages, targets=[target], **({"payloads": payloads} | keys))
