"""THRESHOLDS: what makes a stage SUSPECT, each with its why. `python -m scripts.bench.verdicts` measures what they catch."""

import typing

from analysis.metrics.token_times import HELD_BACK
from analysis.runs.token_totals import MAX_UNCOUNTED
from locustfiles.contract.stage_asked import TraceFit


class Threshold(typing.NamedTuple):
    """`limit`, and why passing it makes a stage SUSPECT."""

    limit: float
    why: str


THRESHOLDS: dict[str, Threshold] = {
    "users_missing": Threshold(
        0.05,
        "More than 5 % of the planned users were not in flight: the generator did not keep up, or a settle "
        "time shorter than a request left part of the load to the stage before.",
    ),
    "lag_of_ttft": Threshold(
        0.08,
        "At the 99th percentile the event loop was late by more than 8 % of the median TTFT (of the median latency without "
        "streaming): the tail may be the generator's own. Measured, starved stages with a p99 TTFT over 10 % wrong begin at 11 %.",
    ),
    "lag_of_ttft_boto3": Threshold(
        0.05,
        "The same for `transport: boto3`, whose answers pass the event loop several times: measured, its p99 TTFT is wrong "
        "by up to twice the lag.",
    ),
    "lag_ms": Threshold(
        50.0, "Half of the requests met an event loop that was late by more than 50 ms: the process was starved."
    ),
    "stall": Threshold(
        0.02,
        "A worker's event loop stood still for more than 2 % of the window: nothing was sent or received meanwhile, and rates "
        "are so much too low, however few requests met it.",
    ),
    "worker_cpu": Threshold(
        0.90,
        "A worker used more than 90 % of one core in the window: what it sends and stamps waits for its own CPU. Add a worker.",
    ),
    "successes": Threshold(20, "Below 20 successes one slow request moves every figure."),
    "prompt_repeats": Threshold(
        0.50, "More than half of the prompts had been sent before in the window: a prefix cache may have answered."
    ),
    "cache_reads": Threshold(
        0.10, "More than 10 % of the prompt tokens were read from a cache: latency and cost are those of warm prompts."
    ),
    "sessions_finished": Threshold(
        20,
        "Below 20 conversations that finished one long one moves every figure of conversations, and the window holds too few of each turn.",
    ),
    "turn_mix": Threshold(
        0.15,
        "The mean turn of the window's requests is more than 15 % off that of whole conversations: prompts grow turn by turn, so that "
        "latency, tokens and cost of a request are those of too early, or too late, a part of them.",
    ),
    "cache_asked": Threshold(
        0.05,
        "The scenario's `prefix:` asks for a share of prompt tokens from a cache, and what was read is more than 5 % of the prompt "
        "tokens away from it: latency and cost are those of another cache.",
    ),
    "lengths": Threshold(
        0.05,
        "A trace or a synthetic payload asks for lengths, and the prompts (but for a chat template of up to 64 tokens) or the answers "
        "were in sum more than 5 % off them: the work was another.",
    ),
    "reconnects": Threshold(0.01, "More than 1 % of the requests had to open a connection, which is in their times."),
    "late_sends": Threshold(
        0.10,
        "Open loop: at the 99th percentile requests were sent later than they were due by more than 10 % of the median "
        "TTFT (of the median latency without streaming): the arrivals were not those that the scenario asks for.",
    ),
    "rate_missing": Threshold(
        0.05,
        "Open loop: more than 5 % fewer requests were sent than planned, beyond the noise of Poisson arrivals: the load was "
        "another.",
    ),
    "trace_lengths": Threshold(
        TraceFit.OFF_AT_MOST,
        "A replay's prompts are more than 10 % off the lengths of its trace, in sum: the work was another.",
    ),
    "late_worker": Threshold(
        0.05,
        "A worker without a request in the settle phase sent its first one later than 5 % into the window: it joined "
        "in mid-stage, and until then the load was another.",
    ),
    "clock_offset": Threshold(
        0.10,
        "A worker's clock was off by more than 10 % of the window: it is corrected, but nothing keeps such a clock, "
        "and the offset was measured once.",
    ),
    "uncounted_tokens": Threshold(
        MAX_UNCOUNTED,
        "More than 1 % of the successes have no output-token count: rates and prices per token leave them out.",
    ),
    "mixed_tokens": Threshold(
        0.01,
        "More than 1 % of the successes have their output tokens from another counter than the rest: two measures in one mean.",
    ),
    "held_back": Threshold(
        HELD_BACK,
        "More than half of the streams came at once: a proxy or the container held their tokens back until the end. Their "
        "TTFT is the time of the whole answer, and how fast the tokens were written is not known.",
    ),
    "served_otherwise": Threshold(
        0.01,
        "More than 1 % of the answers were served with another latency setting or in another tier than asked for (Bedrock does "
        "so beyond a quota or a prompt length, and bills what it served): two speeds and two prices in one stage.",
    ),
    "restart_users": Threshold(
        0.50,
        "More than half of the users lost their connection or found none, with no success in between, and later ones "
        "succeeded: the endpoint was away, and the window mixes two states of it.",
    ),
    "restart_failures": Threshold(5, "Fewer failures in a row than 5 are no sign of a restart, whoever had them."),
    "restart_by_chance": Threshold(
        0.01,
        "Failures at random come in rows, too. A row is a restart where the stage's other failures would have led to fewer than "
        "0.01 rows so long.",
    ),
    "outside_window": Threshold(
        0.01,
        "More than 1 % of the requests that workers counted to the window were sent over 0.25 s outside it by the "
        "corrected clocks: the clock offsets cannot be right, and rates go by them.",
    ),
    "other_stages": Threshold(
        0.01, "More than 1 % of the load in the window came from another stage's requests that had not ended."
    ),
}
