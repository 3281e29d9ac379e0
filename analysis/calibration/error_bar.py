"""The error bar of a report: what a calibration found the instrument's own error to be."""

import datetime
import json
import pathlib
import typing

from analysis.calibration.compare import conditions
from analysis.runs.run_reader import Run
from analysis.words import format as show
from analysis.words.level import is_open, level_text, value_of
from locustfiles.contract.bad_input import BadInput

FILE = "calibration.json"
NOT_CALIBRATED = (
    "Instrument error: not calibrated on this machine. `scripts/calibrate.sh` measures it; give the calibration.json that it "
    "names to `report --calibration`."
)


class _Told(typing.NamedTuple):
    """What is read of a row of a calibration.json."""

    stage: int | None
    users: float | None
    rate: float | None
    figure: str
    p99: float


def instrument_error(run: Run, calibration: str | pathlib.Path | None = None) -> str:
    """What is known of the instrument's error in `run`, sentences: from `calibration`, else from the run's own
    calibration.json, else that there is none; and whose stamps it used. Raises BadInput for a file that is no calibration."""
    path = pathlib.Path(calibration) if calibration else run.path / "report" / FILE
    if not calibration and not path.is_file():
        return NOT_CALIBRATED + _stamps(run)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return _sentence(data, run) + _stamps(run)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(
            f"{path}: not a calibration.json that can be read; make one with `python -m analysis calibrate`"
        ) from None


def instrument_notes(sentences: dict[str, str]) -> list[str]:
    """The sentences by run as notes: equal ones once, others under their run's name."""
    unique = list(dict.fromkeys(sentences.values()))
    return unique if len(unique) == 1 else [f"Run {name}: {sentence}" for name, sentence in sentences.items()]


def _sentence(data: dict[str, typing.Any], run: Run) -> str:
    """Raises KeyError, TypeError, ValueError for data that is no calibration's."""
    told = [_Told(*(each[name] for name in _Told._fields)) for each in data["errors_ms"]]
    rows = [row for row in told if row.stage is not None]
    when = datetime.datetime.fromtimestamp(data["measured_at"], datetime.UTC).strftime("%Y-%m-%d")
    where = f"measured on {when} on {data['host']}"
    if not rows:
        return f"Instrument error: not known, the calibration compared nothing ({where})."
    closed = [row for row in rows if not is_open(row)]
    top = max(closed or rows, key=value_of)
    worst: dict[str, float] = {}
    for row in rows:
        if level_text(row) == level_text(top):
            worst[row.figure] = max(row.p99, worst.get(row.figure, row.p99))
    parts = [
        f"p99 {worst[f]:.1f} ms of {words}" for f, words in (("ttft", "TTFT"), ("latency", "latency")) if f in worst
    ]
    text = f"Instrument error: {', '.join(parts)} at {level_text(top)}, {where}"
    if not data["passed"]:
        text += f", NOT within the bound of {data['bound_ms']:g} ms or not equal in requests or tokens ({data['problems'][0]})"
    reached = max([data["conditions"]["in_flight"], *(row.users for row in closed if row.users is not None)])
    return text + "." + _reach(data, run, reached)


def _reach(data: dict[str, typing.Any], run: Run, reached: float) -> str:
    """Where the calibration, which had so many requests in flight, does not cover the run."""
    text, measured, sent = "", data["conditions"], conditions(run)
    most = max((stage.users for stage in run.manifest.stages if stage.users is not None), default=0)
    if most > reached:
        text += f" This run went up to {most} users, beyond it."
    if most < sent["in_flight"] > reached:
        text += f" This run had up to {sent['in_flight']} requests in flight, beyond it."
    for name in ("transport", "stamps"):
        if measured[name] != sent[name]:
            text += f" It was measured with `{name}: {measured[name]}`, this run was sent with `{name}: {sent[name]}`."
    if measured["schemes"] and not set(sent["schemes"]) <= set(measured["schemes"]):
        ways = (" and ".join(scheme.upper() for scheme in each["schemes"]) for each in (measured, sent))
        text += " It was measured over {}, this run was sent over {}.".format(*ways)
    hosts = {run.manifest.host, *(worker.host for worker in run.manifest.workers)}
    if hosts != {data["host"]}:
        text += f" This run was sent from {', '.join(sorted(hosts))}."
    return text


def _stamps(run: Run) -> str:
    """What the kernel's receive stamps were worth, where the run took them."""
    delays = run.records["stamp_delay_ms"]
    known = delays.dropna()
    if known.empty:
        asked = run.scenario.stamps == "kernel" and len(delays)
        return (
            " The kernel's receive stamps were asked for, but no record has one: the event loop's own were used."
            if asked
            else ""
        )
    p50, p99, most = (show.milliseconds(float(v)) for v in (known.median(), known.quantile(0.99), known.max()))
    share = "" if len(known) == len(delays) else f" in {len(known)} of {len(delays)} requests"
    return (
        f" The kernel's receive stamps were used{share}; the event loop's own would have been late by {p50} / {p99} / {most} "
        "(p50 / p99 / max of each request's worst)."
    )
