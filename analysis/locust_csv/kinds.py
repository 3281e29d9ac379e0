"""Which rows are transactions: a script may fire a TTFT or a count of tokens as an event beside each call."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.locust_csv.counts import BadLocustCsv, Counts, Key
from analysis.words.format import count
from locustfiles.contract.nearest import nearest
from locustfiles.contract.statistics.counts import count_error

#: types that stand for one kind, calls: HTTP's methods, and the operations of AWS's services for models
CALLS = re.compile(
    r"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE|CONNECT|QUERY|HTTPS?|REST)|(Invoke|Converse)\w*", re.IGNORECASE
)
_EDGE, _EDGES = r"(?<![a-z])", r"(?![a-z])"
#: words that no call is named by
_SURELY = (
    r"ttft|ttfb|tpot|itl|e2el|time.?to.?first|first.?(token|chunk|byte|delta)|inter.?token|per.?(output.?)?token"
    r"|tokens?.?(per|/).?s\w*"
    r"|(num|prompt|completion|input|output|total|generated|response).?tokens"
)
_MEASURED = rf"{_SURELY}|tps|queue.?time|prefill|decode"
METRIC_OF_CALL = re.compile(f"{_EDGE}({_SURELY}){_EDGES}", re.IGNORECASE)
METRIC_NAME = re.compile(f"{_EDGE}({_MEASURED}){_EDGES}", re.IGNORECASE)
METRIC_TYPE = re.compile(
    rf"(\w*[ _-])?(metrics?|measure(ment)?s?|stats?|gauges?|counters?|tokens?|throughput|latency|timings?|{_MEASURED})([ _-]\w*)?",
    re.IGNORECASE,
)
#: calls that keep a service going rather than use it
UPKEEP = re.compile(
    r"(.*/)?(health\w*|livez?|liveness|readyz?|readiness|ping|heartbeat|metrics)(\?.*)?|.*\bwarm.?up\b.*", re.IGNORECASE
)
MAX_NAMED = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for on the command line."""

    type: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        given = {"--type": self.type, "--name": self.name}
        return " ".join(f"{option} {value}" for option, value in given.items() if value is not None)

    @property
    def given(self) -> bool:
        return self.type is not None or self.name is not None

    def fits(self, key: Key) -> bool:
        return self.name in (None, key.name) and (self.type is None or self.type.lower() == key.type.lower())


@dataclass(frozen=True, slots=True)
class Choice:
    """The rows that are costed as transactions, and those beside them."""

    keys: tuple[Key, ...]
    metrics: tuple[Key, ...] = ()  # left out, for they are measurements of the calls
    others: tuple[Key, ...] = ()  # left out, for others were asked for
    upkeep: tuple[Key, ...] = ()  # left out, for by their names they are health checks and the like
    is_all: bool = True  # that the files hold


def is_metric(key: Key) -> bool:
    """Whether a row is a measurement rather than a call."""
    if CALLS.fullmatch(key.type):
        path, _, rest = key.name.partition(" ") if key.name.startswith(("/", "http")) else ("", "", key.name)
        return "ttft" in path.lower() or bool(METRIC_OF_CALL.search(rest))
    return bool(METRIC_TYPE.fullmatch(key.type)) or bool(METRIC_NAME.search(key.name))


def choose(prefix: str, known: Mapping[Key, Counts], wanted: Wanted) -> Choice:
    """The rows to cost. Raises BadLocustCsv where they would be of several kinds, or there is none such."""
    matching = [key for key in known if wanted.fits(key)]
    if wanted.given and not matching:
        raise BadLocustCsv(f"{wanted}: {_why_absent(known, wanted)}")
    # what is named in full is meant, a measurement, too; so is a type of nothing else
    in_full = None not in (wanted.type, wanted.name)
    metrics = [] if in_full else [key for key in matching if is_metric(key)]
    calls = [key for key in matching if key not in metrics] or matching
    metrics = [key for key in metrics if key not in calls]
    upkeep = _upkeep(calls, known) if wanted.name is None else []
    calls = [key for key in calls if key not in upkeep]
    kinds = {"call" if CALLS.fullmatch(key.type) else key.type.lower() for key in calls}
    if len(kinds) > 1 or (wanted.name is not None and wanted.type is None and len({key.type for key in calls}) > 1):
        what = f"--name {wanted.name}: stands for" if wanted.name else f"{prefix}: holds"
        types = [f"--type {kind or repr(kind)}" for kind in dict.fromkeys(key.type for key in calls)]
        ways = types if wanted.name else [*types, "--name NAME"]
        raise BadLocustCsv(
            f"{what} rows of several kinds ({_by_type(calls, known)}), which may not all be transactions; give "
            f"{', '.join(ways[:-1])} or {ways[-1]}"
        )
    others = [key for key in known if key not in matching]
    if not any(is_metric(key) for key in calls):  # measurements beside it are no other calls
        others = [key for key in others if not is_metric(key)]
    return Choice(tuple(calls), tuple(metrics), tuple(others), tuple(upkeep), len(calls) == len(known))


def _upkeep(calls: list[Key], known: Mapping[Key, Counts]) -> list[Key]:
    """Those beside other calls, where they are so many that more than chance of the counts would hang on them."""
    found = [key for key in calls if UPKEEP.fullmatch(key.name)]
    many = sum(known[key].requests for key in found)
    rest = sum(known[key].requests for key in calls) - many
    return found if rest and many > count_error(rest) * rest else []


def _by_type(keys: list[Key], known: Mapping[Key, Counts]) -> str:
    sums: dict[str, int] = {}
    for key in keys:
        sums[key.type] = sums.get(key.type, 0) + known[key].requests
    return ", ".join(f"{kind or 'no type'} {count(n)}" for kind, n in sums.items())


def _why_absent(known: Mapping[Key, Counts], wanted: Wanted) -> str:
    if not known:
        return "no request of any name is in these files; run Locust with --csv-full-history"
    if wanted.name is not None:
        names = sorted({key.name for key in known})
        close = nearest(wanted.name, names)
        hint = f"did you mean {close}? Else give" if close else "give"
        what = f" of type {wanted.type}" if any(key.name == wanted.name for key in known) else ""
        return f"no such request{what}; {hint} a name of these files: {listed(names)}"
    return f"no such request; give a type of these files: {listed(sorted({key.type for key in known}))}"


def listed(names: Iterable[object]) -> str:
    """`/chat, /login`; of many the first, and how many more."""
    shown = [str(name) for name in names]
    rest = len(shown) - MAX_NAMED
    return ", ".join(shown[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def choice_words(choice: Choice, known: Mapping[Key, Counts]) -> list[str]:
    """What a reader has to know of the rows that were costed."""
    said = []
    if choice.metrics:
        said.append(
            f"Costed are calls only ({listed(choice.keys)}); left out are rows that measure them: {listed(choice.metrics)}; "
            "--type and --name cost others"
        )
    if choice.upkeep:
        told = listed(f"{key} {count(known[key].requests)}" for key in choice.upkeep)
        said.append(
            f"Left out are rows that by their names keep a service up, and are no transactions: {told}; --name costs one"
        )
    if len(choice.keys) > 1 and not choice.others:
        most = sorted(choice.keys, key=lambda key: -known[key].requests)
        told = listed(f"{key} {count(known[key].requests)}" for key in most)
        said.append(f"Requests of {len(most)} names count alike as transactions; --name costs one of them: {told}")
    return said
