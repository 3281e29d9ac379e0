"""A locustfile that is loaded before the one under test: Locust calls a worker missing after 20 s of silence instead of 3. On a
busy machine a worker is silent for as long while it starts, and then the run rightly says so. Tests of silence set their own, and
how long after that Locust forgets it. Tests of what is said at a run's end wait for the one who says it."""

import os
import pathlib
import sys

from locust import runners

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2]))  # for runs that begin in another folder

runners.HEARTBEAT_LIVENESS = int(os.environ.get("TEST_LIVENESS_S", "20"))
runners.HEARTBEAT_DEAD_INTERNAL = -int(os.environ.get("TEST_FORGOTTEN_S", "60"))
if "TEST_END_S" in os.environ:
    from locustfiles.common.watching import teller

    teller.END_S = float(os.environ["TEST_END_S"])
