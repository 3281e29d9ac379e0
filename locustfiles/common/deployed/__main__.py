"""`swarmledger-load ROLE`: what an image runs. Locust takes this process's place, with what a container needs set before."""

import os
import pathlib
import sys

from locustfiles.common.deployed import beat, grace, health
from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import ended
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.nearest import nearest
from locustfiles.contract.version import build

LOCUSTFILE = pathlib.Path(__file__).resolve().parents[2] / "sweep.py"
#: role -> what it does, and how Locust is told
ROLES = {
    "master": ("tells the workers what to send, takes their records, writes the run folder", ["--master"]),
    "worker": ("sends; a container for each core that the load needs", ["--worker"]),
    "local": ("both in one process, for loads that one core carries", []),
}
HEALTH = "health"
#: where a run goes on with what its folder holds, unless another of these is asked for
WAYS_TO_BEGIN = ("--begin-or-resume", "--resume", "--overwrite")
HELP = f"""usage: swarmledger-load ROLE [OPTIONS]

{chr(10).join(f"  {role:<8}{words}" for role, (words, _) in ROLES.items())}
  {HEALTH:<8}whether the process started here is alive and, of a worker, has joined its master (see {HEALTH} --help)

OPTIONS are Locust's own and Swarmledger's, as they are: see locust --help and locustfiles/README.md. So are their variables.
These are set where nobody has set them:

  LOCUST_LOCUSTFILE            {LOCUSTFILE.name} of this installation
  LOCUST_HEADLESS              true: no web UI (master, local)
  LOCUST_MASTER_BIND_HOST      0.0.0.0: workers of other machines, by the token of SWARMLEDGER_TOKEN or SWARMLEDGER_TOKEN_FILE
  SWARMLEDGER_BEGIN_OR_RESUME  true, where there is a --run-dir: a container that is started again goes on (master, local)
  {beat.VARIABLE}      where the process says that it lives; {beat.default()}
  {grace.VARIABLE}          {grace.DEFAULT_S:g}: seconds from SIGTERM to SIGKILL; have the platform give as many

exit code: 0 fine, 1 bad input, 2 not to be trusted, 3 budget spent, 4 stopped (a SIGTERM); of {HEALTH} 0 healthy, 1 not.

examples:
  SWARMLEDGER_SCENARIO=/scenario/chat.yaml swarmledger-load master --run-dir /runs/chat --expect-workers 2
  SWARMLEDGER_SCENARIO=/scenario/chat.yaml swarmledger-load worker --master-host master
  swarmledger-load {HEALTH}"""


def main(argv: list[str] | None = None) -> int:
    """Its exit code; where a role begins, Locust's."""
    return ended(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: list[str]) -> int:
    """Raises BadInput."""
    if not argv:
        raise BadInput(f"swarmledger-load: no role; give {', '.join(ROLES)} or {HEALTH} (see swarmledger-load --help)")
    role, *options = argv
    if role == HEALTH:
        return health.run(options)
    if role == "--version":
        print(build())
        return OK
    if role in ("-h", "--help") or (role in ROLES and {"-h", "--help"} & set(options)):
        print(HELP)
        return OK
    if role not in ROLES:
        close = nearest(role, [*ROLES, HEALTH])
        raise BadInput(
            f"{role}: no such role; "
            + (f"did you mean {close}? Else " if close else "")
            + "see swarmledger-load --help"
        )
    return _become(role, options)


def _become(role: str, options: list[str]) -> int:
    """Locust, in place of this process: a signal reaches it. Raises BadInput."""
    for name, value in defaults(role, options).items():
        os.environ.setdefault(name, value)
    grace.given()
    beat.begin(role)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "locust", *ROLES[role][1], *options])


def defaults(role: str, options: list[str]) -> dict[str, str]:
    found = {
        "LOCUST_LOCUSTFILE": str(LOCUSTFILE),
        beat.VARIABLE: str(beat.default()),
        grace.VARIABLE: f"{grace.DEFAULT_S:g}",
    }
    if role == "worker":
        return found
    found["LOCUST_HEADLESS"] = "true"
    if role == "master":
        found["LOCUST_MASTER_BIND_HOST"] = "0.0.0.0"
    words = {option.partition("=")[0] for option in options}
    if ("--run-dir" in words or os.environ.get("SWARMLEDGER_RUN_DIR")) and not words & set(WAYS_TO_BEGIN):
        found["SWARMLEDGER_BEGIN_OR_RESUME"] = "true"
    return found


if __name__ == "__main__":
    sys.exit(main())
