"""deploy/ecs/run.sh beside a stand-in of `aws`: it says how a run ends, and why a master did not get that far."""

import os
import pathlib
import subprocess

import pytest

from tests.helpers.documents import ROOT

#: what the stack, ECS and its waiters answer; each call is noted
STAND_IN = """\
#!/bin/sh
echo "$@" >>"$CALLS"
case "$1 $2" in
"cloudformation describe-stacks") printf 'Cluster\\tload\\nBucket\\truns\\nLog\\t/ecs/load\\n' ;;
"ecs run-task") echo '[["arn:aws:ecs:us-east-1:123456789012:task/load/0a1b"], []]' ;;
"ecs wait") [ -z "$STOPPED" ] || { echo "Waiter TasksRunning failed" >&2; exit 255; } ;;
"ecs describe-tasks") if [ -n "$STOPPED" ]; then echo "$STOPPED"; else echo 10.0.0.7; fi ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """What the script said and its exit code, and the calls that it made."""
    (tmp_path / "aws").write_text(STAND_IN)
    (tmp_path / "aws").chmod(0o755)

    def started(stopped: str = "") -> tuple[int, str, list[str]]:
        calls = pathlib.Path(tmp_path / "calls")
        env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls), "STOPPED": stopped}
        command = [ROOT / "deploy/ecs/run.sh", "load", "study-1", "2", "subnet-0a"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
        return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines()

    return started


def test_a_run_is_told_with_the_commands_that_watch_it_and_say_how_it_ended(run):
    code, said, calls = run()
    assert code == 0, said
    assert "End:    until aws ecs wait tasks-stopped --cluster load --tasks 0a1b; do sleep 5; done" in said
    assert (
        "describe-tasks --cluster load --tasks 0a1b --query 'tasks[0].[stoppedReason,containers[0].exitCode]'" in said
    )
    assert "Report: python -m analysis report s3://runs/study-1" in said
    assert not [call for call in calls if call.startswith("ecs stop-task")]


def test_of_a_master_that_ends_before_it_runs_the_reason_is_told(run):
    code, said, calls = run("STOPPED CannotPullContainerError: image Manifest does not contain linux/amd64")
    assert code != 0
    assert "error: the master does not run: STOPPED CannotPullContainerError" in said
    assert [call for call in calls if call.startswith("ecs stop-task")]
