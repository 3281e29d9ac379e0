"""However long a run is: a look takes no longer, and what is remembered is no more."""

import gc
import pathlib
import random
import time

import pytest

from analysis.live import judged
from analysis.live.figures import Watched
from locustfiles.contract.record import FIELDS
from tests.helpers.made_run import START, made_run, streamed, window
from tests.helpers.watching import GOES_ON, under_way

A_ROUND, ROUNDS = 500, 90
PLACE = {name: n for n, name in enumerate(FIELDS)}


def lines(rng, number):
    """Of half a second: 1,000 requests/s whose times differ."""
    cells, found = streamed(0, 1, 0.3, 100, prompt_tokens=500).row(), []
    for i in range(A_ROUND):
        call, latency = number * A_ROUND + i + 1, rng.lognormvariate(0, 0.5)
        ended = START + call / (2 * A_ROUND)
        own = {
            "started_at": f"{ended - latency:.6f}",
            "latency_ms": f"{1000 * latency:.3f}",
            "ttft_ms": f"{300 * latency:.3f}",
        }
        own |= {"last_token_ms": own["latency_ms"], "call": str(call), "prompt_id": str(call), "user": str(i)}
        found.append(",".join(own.get(name, cells[n]) for name, n in PLACE.items()))
    return "\n".join(found).encode() + b"\n"


def memory_mb():
    gc.collect()
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.timed
def test_rounds_and_memory_stay_as_they_are_while_a_run_grows(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(judged, "MOST", 5 * A_ROUND)  # is reached soon
    folder = made_run(tmp_path_factory.mktemp("flat") / "r", [], [window(1, 0, None, users=A_ROUND)])
    under_way(folder, 1)
    now, took, used, rng = [START], [], [], random.Random(4)
    watched = Watched(str(folder), clock=lambda: now[0])
    for number in range(ROUNDS):
        with open(folder / "requests.csv", "ab") as file:
            file.write(lines(rng, number))
        now[0] += 0.5
        began = time.process_time()
        figures = watched.look(GOES_ON)
        took.append(time.process_time() - began)
        used.append(memory_mb() if number in (ROUNDS // 3, ROUNDS - 1) else 0.0)
    watched.close()
    assert figures["stage"]["n"]["latency"] == A_ROUND * ROUNDS
    assert figures["stage"]["judged"].startswith("its last ")
    third = ROUNDS // 3
    # the verdict's looks are not evenly spread, so sums of thirty rounds
    assert sum(took[2 * third :]) < 1.5 * sum(took[third : 2 * third])
    # as records 30,000 requests are over 40 MB
    assert used[-1] - used[third] < 20
