"""Which rows are transactions: a script may fire a TTFT or a count of tokens as an event beside each call."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analysis.locust_csv.counts import BadLocustCsv, Counts, Key
from analysis.words.format import count

#: types that stand for one kind, calls: HTTP's methods, and the operations of AWS's services for models
CALLS = re.compile(
    r"(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE|CONNECT|QUERY|HTTPS?|REST)|(Invoke|Converse)\w*", re.IGNORECASE
)
_EDGE, _EDGES = r"(?<![a-z])", r"(?![a-z])"
#: words that no call is named by
_SURELY = (
    r"ttft|tpot|itl|e2el|time.?to.?first|first.?token|inter.?token|per.?(output.?)?token|tokens?.?(per|/).?s\w*"
    r"|(num|prompt|completion|input|output|total|generated|response).?tokens"
)
_MEASURED = rf"{_SURELY}|tps|queue.?time|prefill|decode"
METRIC_OF_CALL = re.compile(f"{_EDGE}({_SURELY}){_EDGES}", re.IGNORECASE)
METRIC_NAME = re.compile(f"{_EDGE}({_MEASURED}){_EDGES}", re.IGNORECASE)
METRIC_TYPE = re.compile(
    rf"(\w*[ _-])?(metrics?|measure(ment)?s?|stats?|gauges?|counters?|tokens?|throughput|latency|timings?|{_MEASURED})([ _-]\w*)?",
    re.IGNORECASE,
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

    @property
    def is_all(self) -> bool:
        return not self.metrics and not self.others


def is_metric(key: Key) -> bool:
    """Whether a row is a measurement rather than a call."""
    if CALLS.fullmatch(key.type):
        path = key.name.startswith(("/", "http"))
        return "ttft" in key.name.lower() if path else bool(METRIC_OF_CALL.search(key.name))
    return bool(METRIC_TYPE.fullmatch(key.type)) or bool(METRIC_NAME.search(key.name))


def choose(prefix: str, known: Mapping[Key, Counts], wanted: Wanted) -> Choice:
    """The rows to cost. Raises BadLocustCsv where they would be of several kinds, or there is none such."""
    matching = [key for key in known if wanted.fits(key)]
    if wanted.given and not matching:
        raise BadLocustCsv(f"{wanted}: {_why_absent(known, wanted)}")
    others = tuple(key for key in known if key not in matching)
    # what is named in full is meant, a measurement, too
    metrics = [] if wanted.type is not None else [key for key in matching if is_metric(key)]
    calls = [key for key in matching if key not in metrics] or matching
    metrics = [key for key in metrics if key not in calls]
    kinds = {"call" if CALLS.fullmatch(key.type) else key.type.lower() for key in calls}
    if len(kinds) > 1 or (wanted.name is not None and wanted.type is None and len({key.type for key in calls}) > 1):
        what = f"--name {wanted.name}: stands for" if wanted.name else f"{prefix}: holds"
        raise BadLocustCsv(
            f"{what} rows of several kinds ({_by_type(calls, known)}), which are not all transactions; give "
            f"--type {calls[0].type or 'TYPE'}{'' if wanted.name else ' or --name NAME'}"
        )
    return Choice(tuple(calls), tuple(metrics), others)


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
        close = difflib.get_close_matches(wanted.name, names, n=1)
        hint = f"did you mean {close[0]}? Else give" if close else "give"
        what = f" of type {wanted.type}" if any(key.name == wanted.name for key in known) else ""
        return f"no such request{what}; {hint} a name of these files: {listed(names)}"
    return f"no such request; give a type of these files: {listed(sorted({key.type for key in known}))}"


def listed(names: Iterable[object]) -> str:
    """`/chat, /login`; of many the first, and how many more."""
    shown = [str(name) for name in names]
    rest = len(shown) - MAX_NAMED
    return ", ".join(shown[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def choice_words(choice: Choice) -> list[str]:
    """What a reader has to know of the rows that were costed."""
    said = []
    if choice.metrics:
        said.append(
            f"Costed are calls only ({listed(choice.keys)}); left out are rows that measure them: {listed(choice.metrics)}; "
            "--type and --name cost others"
        )
    if choice.is_all and len(choice.keys) > 1:
        said.append(
            f"Requests of {len(choice.keys)} names are taken together; --name costs one of them: {listed(choice.keys)}"
        )
    return said
