#!/usr/bin/env bash
# Guess: a worker that is told to start or stop users does a dictionary's work on the options that come with the message.
# What happens: it asks for the names of Locust's own options once for each option of the message, and each time the whole
#   argument parser is built and run: some fifty parsers for each change of the number of users, of each user class, in the
#   loop that its requests, their timers and its heartbeats share.
# Versions: Locust 2.47.0.
# Why it matters: 0.1 s of CPU while load changes; response times that end then are too long by as much. On a starved machine
#   it becomes seconds, a master that hears no heartbeat for 3 s calls the worker missing, and ends the test when all are.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check locust==2.47.0

cat >probe.py <<'PY'
import logging
import sys
import time

import gevent
from locust import User, argument_parser, constant, task
from locust.env import Environment
from locust.rpc import Message

logging.disable(logging.CRITICAL)


class Idle(User):
    wait_time = constant(1)

    @task
    def nothing(self):
        pass


def environment():
    return Environment(user_classes=[Idle], parsed_options=argument_parser.parse_options(["-f", "probe.py"]))


master = environment().create_master_runner("127.0.0.1", 0)
worker = environment().create_worker_runner("127.0.0.1", master.server.port)
gevent.sleep(0.5)
built, build = [], argument_parser.setup_parser_arguments
argument_parser.setup_parser_arguments = lambda parser: (built.append(parser), build(parser))
message = {
    "timestamp": time.time(),
    "user_classes_count": {"Idle": 1},
    "host": None,
    "stop_timeout": 0,
    "parsed_options": vars(master.environment.parsed_options),
}
began = time.process_time()
worker.handle_message(Message("spawn", message, worker.client_id))
print(f"one spawn message: {len(built)} argument parsers built, {time.process_time() - began:.2f} s of CPU")
if len(built) < 50:
    sys.exit("changed: the parser is not built for each option any more")
import os

os._exit(0)
PY
venv/bin/python -c 'import locust; print("Locust", locust.__version__)'
venv/bin/python -u probe.py
