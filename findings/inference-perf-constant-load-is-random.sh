#!/usr/bin/env bash
# Guess: load type "constant" of inference-perf sends its requests at equal distances, and "poisson" at random ones.
# What happens: both are random. The constant timer draws exponential distances and only scales them so that the count
#   fits the duration: at 10 requests/s they scatter from under 1 ms to over 400 ms, with a standard deviation as
#   large as the mean, which is what Poisson arrivals have. Nothing is seeded, so no run repeats another.
# Versions: inference-perf 0.7.0 (its timer module alone), numpy 2.4.6.
# Why it matters: bursts make a queue where equal distances make none: at 70 % use of a server that needs equal times,
#   the mean wait is 1.2 service times instead of 0. A "constant" run is not comparable with another tool's constant
#   run, and its tail latency tells of the arrivals as much as of the endpoint.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check numpy==2.4.6
# The package names Python 3.12; the module used here runs on 3.11 as well.
venv/bin/pip install -qq --disable-pip-version-check --no-deps --ignore-requires-python inference-perf==0.7.0

cat >probe.py <<'PY'
import importlib.util
import itertools
import pathlib
import sys
import types

import numpy as np

# The packages' own __init__ files would import transformers, aiohttp and more: the modules are imported without them.
root = pathlib.Path(importlib.util.find_spec("inference_perf").origin).parent
for name in ("inference_perf", "inference_perf.loadgen", "inference_perf.utils"):
    package = types.ModuleType(name)
    package.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = package
from inference_perf.loadgen.load_timer import ConstantLoadTimer, PoissonLoadTimer  # noqa: E402

RATE, SECONDS = 10, 300


def scatter(timer):
    """Standard deviation of the distances by their mean: 0 where they are equal, 1 for Poisson arrivals."""
    sends = np.array(list(itertools.islice(timer.start_timer(0.0), RATE * SECONDS)))
    gaps = np.diff(sends)
    print(f"{type(timer).__name__:18} {len(sends)} requests in {sends[-1]:.0f} s, distances {gaps.min() * 1000:.2f} to "
          f"{gaps.max() * 1000:.0f} ms, standard deviation / mean {gaps.std() / gaps.mean():.2f}")  # fmt: skip
    return gaps.std() / gaps.mean()


constant, poisson = scatter(ConstantLoadTimer(RATE, SECONDS)), scatter(PoissonLoadTimer(RATE, SECONDS))
if constant < 0.9 or poisson < 0.9:
    sys.exit("changed: the constant load is no longer as random as the Poisson load")
PY
venv/bin/python probe.py
