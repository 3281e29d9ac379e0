"""The scenario that scripts/calibrate.sh runs: configs/calibrate.yaml at a number of users, or at another scenario's largest level.

python -m scripts.calibrate_scenario --scenario configs/llama2-13b-study.yaml --measure-s 20 --out scenario.yaml
"""

import argparse
import pathlib
import sys

import yaml

from locustfiles.common.exit_codes import BAD_INPUT, OK
from locustfiles.common.loads import Load
from locustfiles.common.scenario import load_scenario
from locustfiles.common.yaml_file import BadInput

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "configs/calibrate.yaml"


def calibration_scenario(users: int | None, measure_s: float) -> dict:
    """configs/calibrate.yaml with its level replaced, and `measure_s` shared out among its targets."""
    data = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    data["load"]["measure_s"] = measure_s / len(data["targets"])
    if users is not None:
        data["load"]["users"] = [users]
    return data


def largest_level(path: str) -> int:
    """The most users of any target of a scenario; in the open loop those that may be in flight. Raises BadScenario."""
    scenario = load_scenario(path)
    return max(_most_users(scenario.load_of(target)) for target in scenario.targets)


def _most_users(load: Load) -> int:
    if load.users is not None:
        return max(load.users)
    return load.max_users if load.open_loop else int(load.find.up_to)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", default="", help="empty: those of --scenario, else the template's")
    parser.add_argument("--scenario", default="", help="take this scenario's largest level")
    parser.add_argument("--measure-s", default="20", help="seconds measured in all")
    parser.add_argument("--out", required=True, help="file to write")
    args = parser.parse_args(argv)
    try:
        users = largest_level(args.scenario) if args.scenario else _whole(args.users) if args.users else None
        data = calibration_scenario(users, _seconds(args.measure_s))
    except BadInput as e:
        print(f"error: {e}", file=sys.stderr)
        return BAD_INPUT
    pathlib.Path(args.out).write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return OK


def _whole(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise BadInput(f"--users {text}: not a whole number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise BadInput(f"--measure-s {text}: not a number of seconds above 0")
    return value


if __name__ == "__main__":
    sys.exit(main())
