"""What scripts/calibrate.sh runs: makes the scenario of a calibration, and a certificate for it."""

import pathlib
import sys

import yaml

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.command_line import Parser, ended
from locustfiles.contract.exit_codes import OK
from locustfiles.contract.scenario.loads import Load
from locustfiles.contract.scenario.scenario import Scenario, load_scenario
from locustfiles.contract.scenario.targets import OpenAITarget, Target
from scripts.bench.endpoint import EndpointFailed, make_certificate

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "configs/calibrate.yaml"
WORDS = """Writes configs/calibrate.yaml at a number of users, or at another scenario's largest level and with its transport and
stamps; and a certificate.pem and key.pem beside it, unless the endpoint is to be asked over plain HTTP."""
EXAMPLE = """example:
  python -m scripts.lib.calibrate_scenario --scenario configs/llama2-13b-study.yaml --measure-s 20 --out scenario.yaml"""


def calibration_scenario(users: int | None, like: Scenario | None, measure_s: float) -> dict:
    """configs/calibrate.yaml with `measure_s` shared out among its targets; the level, transport and stamps are those of
    `like`, or the level is `users`."""
    data = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    data["load"]["measure_s"] = measure_s / len(data["targets"])
    if like is not None:
        users = max(_most_users(like.load_of(target)) for target in like.targets)
        data |= {"transport": like.transport, "stamps": like.stamps}
    if users is not None:
        data["load"]["users"] = [users]
    return data


def speaks_tls(scenario: Scenario | None) -> bool:
    """Whether any target is asked over HTTPS, as all of AWS's are: unless every URL that is written down is http."""
    return scenario is None or any(not _url(scenario, target).startswith("http:") for target in scenario.targets)


def _url(scenario: Scenario, target: Target) -> str:
    return (
        target.base_url
        if isinstance(target, OpenAITarget)
        else target.endpoint_url or scenario.endpoint_url or "https:"
    )


def _most_users(load: Load) -> int:
    if load.users is not None:
        return max(load.users)
    return load.max_users if load.open_loop or load.find is None else int(load.find.up_to)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(prog="python -m scripts.lib.calibrate_scenario", description=WORDS, epilog=EXAMPLE)
    parser.add_argument("--users", default="", help="empty: those of --scenario, else the template's")
    parser.add_argument("--scenario", default="", help="take this scenario's largest level, transport and stamps")
    parser.add_argument("--measure-s", default="20", help="seconds measured in all")
    parser.add_argument(
        "--tls", default="", choices=("", "yes", "no"), help="empty: as the scenario's targets are asked, else yes"
    )
    parser.add_argument("--out", required=True, help="file to write")
    args = parser.parse_args(argv)
    return ended(lambda: _write(args))


def _write(args) -> int:
    """Raises BadInput."""
    like, out = load_scenario(args.scenario) if args.scenario else None, pathlib.Path(args.out)
    data = calibration_scenario(_whole(args.users) if args.users else None, like, _seconds(args.measure_s))
    try:
        if args.tls == "yes" or (not args.tls and speaks_tls(like)):
            make_certificate(out.parent)
        out.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    except EndpointFailed as e:
        raise BadInput(str(e)) from None
    except OSError as e:
        raise BadInput(f"--out {out}: cannot be written ({e.strerror}); choose another file") from None
    return OK


def _whole(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise BadInput(f"--users {text}: not a whole number; give 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise BadInput(f"--measure-s {text}: not a number of seconds; give more than 0, and 3600 at most")
    return value


if __name__ == "__main__":
    sys.exit(main())
