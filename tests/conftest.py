"""For all tests: a test process that Locust leaves as it is; hypothesis without limits of time, which a busy machine would break."""

import os

from hypothesis import HealthCheck, settings

os.environ["LOCUST_SKIP_MONKEY_PATCH"] = "1"
import locust  # noqa: F401  (once imported, it patches no more)

del os.environ["LOCUST_SKIP_MONKEY_PATCH"]  # the processes that tests start are patched
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")
