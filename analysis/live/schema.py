"""The JSON schema of the figures: analysis/live/figures.schema.json is this one.

Written anew by `python -m analysis.live.schema`, which the tests ask for where the two differ.
"""

import json
import pathlib
import sys
import typing

from analysis.live.series import POINT
from analysis.live.stage_rows import SHOWN

FILE = pathlib.Path(__file__).parent / "figures.schema.json"
Schema = dict[str, typing.Any]

NUMBER: Schema = {"type": ["number", "null"]}
COUNT: Schema = {"type": "integer"}
TEXT: Schema = {"type": ["string", "null"]}
TIME: Schema = {"type": ["number", "null"], "description": "Unix seconds by the master's clock"}
_KINDS: dict[str, Schema] = {"count": {"type": ["integer", "null"]}, "number": NUMBER, "text": TEXT}
#: of the stage under way: name -> kind, what it is; requests are those that began in the window and have ended
SO_FAR: dict[str, tuple[Schema, str]] = {
    "stage": (COUNT, "its number"),
    "measured_s": (NUMBER, "for how long it has been measured"),
    "requests": (COUNT, "that began in its window and have ended"),
    "successes": (COUNT, "those that ended whole, with output"),
    "failures": (COUNT, "those that failed, without the cancelled"),
    "errors": (
        {"type": "array", "items": {"type": "array", "prefixItems": [{"type": "string"}, COUNT], "minItems": 2, "maxItems": 2}},
        "class and number of the failures, the most frequent first",
    ),
    "error_rate": (NUMBER, "failures / requests without the cancelled"),
    "throttle_share": (NUMBER, "throttled / requests without the cancelled"),
    "requests_per_s": (NUMBER, "successes that ended since the window began / the time since then"),
    "output_tokens_per_s": (NUMBER, "their output tokens / the same time; null when over 1 % of them are not counted"),
    "prompt_tokens_mean": (NUMBER, "of successes, cached ones included, where known"),
    "completion_tokens_mean": (NUMBER, "of successes, where known"),
    "cache_read_share": (NUMBER, "of successes' prompt tokens, those that were read from a cache"),
    "cache_asked_share": (NUMBER, "the share that the stage's `prefix:` asks for; null: it asks for none, or it is a mix"),
    "usd_per_10k": (NUMBER, "USD per 10,000 transactions, of what is judged"),
    "usd_per_10k_low": (NUMBER, "lower end of its 95 % interval"),
    "usd_per_10k_high": (NUMBER, "upper end"),
    "cost_reason": (TEXT, "why it is not known"),
    "verdict": (TEXT, "VALID, SUSPECT or INVALID by what is judged; null: too little is known yet"),
    "reasons": ({"type": "array", "items": {"type": "string"}}, "why it is not VALID, with what to do, a sentence each"),
    "slo": (TEXT, "the limits together: met, missed, undecided, unknown or none"),
    "judged": (TEXT, "what verdict, cost and limits go by: `its 1,234 requests`, `its last 18,300 requests`"),
}  # fmt: skip
#: of its conversations, as the report has them of what is judged
SESSIONS: dict[str, tuple[Schema, str]] = {
    "begun": (COUNT, "conversations whose first turn began in the window"),
    "finished": (COUNT, "those whose last planned turn ended well"),
    "failed": (COUNT, "those whose last turn that was sent failed"),
    "ended_early": (COUNT, "those that ended well before their last planned turn"),
    "under_way": (COUNT, "those that have not ended"),
    **{
        f"time_{p}_s{end}": (NUMBER, f"{p} of the time from the first send to the last byte, those under way allowed for{words}")
        for p in ("p50", "p95")
        for end, words in (("", ", s"), ("_low", ": lower end of its 95 % interval"), ("_high", ": upper end"))
    },
    "usd": (NUMBER, "USD of a conversation that finishes"),
    "usd_low": (NUMBER, "lower end of its 95 % interval; null: there is none"),
    "usd_high": (NUMBER, "upper end"),
}  # fmt: skip
#: of a part of a mix, as the report has it of what is judged
PART: dict[str, tuple[Schema, str]] = {
    "stage": (COUNT, "its number"),
    "target": ({"type": "string"}, "the scenario's target"),
    "payload": ({"type": "string"}, "the payload file's stem"),
    "share": (NUMBER, "of the mix's requests, as planned"),
    "share_sent": (NUMBER, "of those that are judged, of conversations each first turn"),
    "requests": (COUNT, "that are judged"),
    "error_rate": (NUMBER, "failures / requests without the cancelled"),
    "throughput_per_s": (NUMBER, "successes a second"),
    "ttft_p95_s": (NUMBER, "p95 of TTFT as a user perceives it, s"),
    "latency_p95_s": (NUMBER, "p95 of latency as a user perceives it, s"),
    "usd_per_10k": (NUMBER, "USD per 10,000 of its transactions"),
    "verdict": (TEXT, "VALID, SUSPECT or INVALID; null: too little is known yet"),
    "slo": (TEXT, "its limits together"),
}
TIMES = {"latency": "s", "ttft": "s", "tpot": "ms"}


def schema() -> Schema:
    """Of JSON Schema 2020-12."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "figures of a Swarmledger run under way",
        "description": "A value that is not known is null, and never 0.",
    }
    ended = closed({"headline": {"type": "string"}, "report": TEXT})
    properties = {
        "at": TIME | {"description": "all that was in requests.csv by then is counted; Unix seconds"},
        "run": TEXT | {"description": "run_id of the process that writes; null: no run is there yet"},
        "stage": {"anyOf": [{"type": "null"}, _so_far()], "description": "the stage under way"},
        "stages": {
            "type": "array",
            "items": _finished(),
            "description": "those that have ended, in the order measured",
        },
        "series": {"anyOf": [{"type": "null"}, _series()]},
        "ended": {"anyOf": [{"type": "null"}, ended], "description": "the report's headline, when the run has ended"},
    }
    return head | closed(properties)


def closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _so_far() -> Schema:
    found = {name: kind | {"description": words} for name, (kind, words) in SO_FAR.items()}
    for name, unit in TIMES.items():
        for level in ("p50", "p95"):
            key = f"{name}_{level}_{unit}"
            found[key] = NUMBER | {"description": f"{level} of successes, within 0.1 %, {unit}"}
            found[f"{key}_low"] = NUMBER | {"description": "lower end of its 95 % interval; null: there is none"}
            found[f"{key}_high"] = NUMBER | {"description": "upper end; null: there is none"}
    found["sessions"] = _sessions() | {"description": "its conversations; null: there are none, or it is a mix"}
    parts = {name: kind | {"description": words} for name, (kind, words) in PART.items()} | {"sessions": _sessions()}
    found["parts"] = {"type": "array", "items": closed(parts), "description": "of a mix: each of its parts"}
    found["n"] = closed(dict.fromkeys(TIMES, COUNT)) | {"description": "of how many values the percentiles are"}
    return closed(found)


def _sessions() -> Schema:
    each = closed({name: kind | {"description": words} for name, (kind, words) in SESSIONS.items()})
    return {"anyOf": [{"type": "null"}, each]}


def _finished() -> Schema:
    """Columns of steps.csv, with the report's values."""
    return closed(
        {c.name: _KINDS[c.kind] | {"description": f"{c.definition}{f' ({c.unit})' if c.unit else ''}"} for c in SHOWN}
    )


def _series() -> Schema:
    """Points over the run, every list of one length."""
    window: Schema = {"type": "array", "prefixItems": [COUNT, TIME, TIME], "minItems": 3, "maxItems": 3}
    found: Schema = {
        "every_s": {"type": "number", "description": "a point's length"},
        "from": {"type": "number", "description": "when the run began; Unix seconds"},
        "t": {"type": "array", "items": {"type": "number"}, "description": "when each point begins; Unix seconds"},
    }
    found |= {name: {"type": "array", "items": NUMBER} for name in POINT}
    found["usd"]["description"] = "accrued by the end of the point"
    found["stages"] = {"type": "array", "items": window, "description": "stage, begin and end of its window"}
    return closed(found)


def text() -> str:
    """As the file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE} written\n")
