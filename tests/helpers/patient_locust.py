"""A locustfile that is loaded before the one under test: Locust calls a worker missing after 20 s of silence instead of 3. On a
busy machine a worker is silent for as long while it starts, and then the run rightly says so. Tests of silence set their own, and
how long after that Locust forgets it. Tests of what is said at a run's end wait for the one who says it."""

import os

from locust import runners

from locustfiles.common.watching import teller

runners.HEARTBEAT_LIVENESS = int(os.environ.get("TEST_LIVENESS_S", "20"))
runners.HEARTBEAT_DEAD_INTERNAL = -int(os.environ.get("TEST_FORGOTTEN_S", "60"))
teller.END_S = float(os.environ.get("TEST_END_S", teller.END_S))
