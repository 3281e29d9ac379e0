"""KINDS: every kind of caution once, in words that say what was seen, what that does to the figures, and what to do about it.

Detection (verdict.py and its neighbours) tells a kind's key and its figures, caution.py makes text of them; a threshold's limit and
why stand in thresholds.py. A figure is written `{name:form}`, form one of caution.py's FORMS, with nouns `one/several` behind it;
`{name}` is text, by which cautions of a kind are told apart where many stages have them.
"""

import typing

from analysis.verdicts.price_bias import Effect

Trouble = typing.Literal["SUSPECT", "INVALID"]


class Kind(typing.NamedTuple):
    """`SEEN, so MEANS: REMEDY`. means: empty where that is plain; price: what it does to the price of a transaction."""

    seen: str
    means: str
    remedy: str
    price: Effect = ""
    verdict: Trouble = "SUSPECT"


_AGAIN = "run the stage again (`--resume`)"
_SETTLE_LONGER = "raise `settle_at_most_s`"
_MORE_WORKERS = "use more workers, or fewer users each"
_WHOLE_CONVERSATIONS = "settle and measure for several times as long as a conversation takes"
_CLOCKS = "have the clocks of all machines set by NTP and run the stage again"
_OTHER_IMPORT = "import a file that holds each request, where the tool writes one"

KINDS: dict[str, Kind] = {
    # the load was not the planned one
    "users_missing": Kind(
        "{own:num} requests in flight where {due:num} were due", "the load was below the planned one",
        "use more workers, and a `settle_s` longer than a call", "fewer",
    ),
    "other_stages": Kind(
        "{share:%} of the load came from other stages' requests", "the endpoint carried more than this stage",
        "raise `settle_s` above the length of a call", "fewer",
    ),
    "late_worker": Kind(
        "{workers:names worker/workers} joined in mid-stage (first request {after_s:s} after the window began)",
        "the load was another until then", "run it again with all workers there from the start (`--expect-workers`)", "fewer",
    ),
    "rate_missing": Kind(
        "{sent:num} requests/s were sent where {planned:g} were planned ({fewer:%} fewer)", "the load was below the planned one",
        "use more workers, or raise `max_users`", "fewer",
    ),
    "max_users": Kind(
        "`max_users` ({most:n}) was reached", "requests that were due waited for a user",
        "raise `max_users`, unless the rate is above what the endpoint can take", "fewer",
    ),
    "late_sends": Kind(
        "requests were sent late ({p99_ms:ms} after they were due, p99)", "the arrivals were not the planned ones",
        "use more workers, or raise `max_users`", "fewer",
    ),
    "ramp": Kind(
        "the rate went from {level} requests/s in its window", "its figures are those of the whole way, and of no one rate",
        "read it by its slices, and measure the rate of interest by `rate`",
    ),
    "trace_lengths": Kind(
        "the trace asks for {asked:n} prompt tokens on average, the nearest lines have {sent:n} ({off:%} off in sum)",
        "the work was another", "add lines of such lengths to the payload file",
    ),
    "replay_skipped": Kind(
        "the replay was skipped after {after_s:s}", "the figures are those of the trace's begin",
        "replay it again in a run of its own",
    ),
    "cut_short": Kind(
        "it was cut short", "what was under way in its window ended under a falling load", _AGAIN, "fewer",
    ),
    # the load generator itself was slow, or nothing is known of it
    "loop_late": Kind(
        "the load generator itself was late (its event loop lagged {p99_ms:ms} at p99, {share:%} of the median {what})",
        "true times are lower", _MORE_WORKERS, "fewer",
    ),
    "loop_starved": Kind(
        "the load generator itself was short of CPU (its event loop lagged {median_ms:ms} in the median)",
        "true times are lower", _MORE_WORKERS, "fewer",
    ),
    "stood_still": Kind(
        "{workers:names worker/workers} stood still for {paused_ms:ms}, {share:%} of the window", "rates are too low by as much",
        "run it again on a machine that nothing else keeps busy", "fewer",
    ),
    "worker_cpu": Kind(
        "{workers:names worker/workers} used {cpu:%} of a core in the window", "requests were sent and stamped late",
        "add a worker", "fewer",
    ),
    "unknown_client": Kind(
        "nothing is known of the client (its event-loop lag, its CPU)", "times may be too long and rates too low",
        "see that it had CPU to spare",
    ),
    "outside_window": Kind(
        "{share:%} of {requests:n request/requests} were sent outside the window by the corrected clocks", "rates are not right", _CLOCKS,
    ),
    "clock_unknown": Kind(
        "the clock offset of {workers:names worker/workers} is not known", "its requests may lie outside the window",
        "run it again with all workers connected to the end",
    ),
    "clock_off": Kind(
        "the clock of {workers:names worker/workers} was off by {off_s:s}, {share:%} of the window",
        "its times rest on a correction that was measured once", _CLOCKS,
    ),
    "not_closed": Kind(
        "the run was never closed (killed, its disk full, or still running)", "its last counts are missing",
        "let it end, or go on with `--resume`",
    ),
    # too few or uneven answers
    "no_success": Kind("no success", "nothing was measured", "see its errors by class, and mend their cause"),
    "few_successes": Kind(
        "only {successes:n success/successes}", "one slow request moves every figure", "measure longer (`measure_s`)",
    ),
    "prompts_repeated": Kind(
        "{share:%} of the prompts were repeats ({distinct:n different prompt/different prompts})",
        "a prefix cache may have made them faster",
        "use a payload file of more lines, or, for single prompts, a `prefix` with `nonce: start`", "warm",
    ),
    "cache_reads": Kind(
        "{share:%} of the prompt tokens were read from a cache", "new prompts take longer",
        "send prompts that no cache knows (single ones with `prefix` and `nonce: start`), or, if a warm cache is meant, ask for it "
        "(`cache_point`, `cache_system`)",
        "cached",
    ),
    "cache_below": Kind(
        "{share:%} of the prompt tokens were read from a cache where the scenario asks for {asked:%}",
        "latency and cost are not those of the cache that was asked for",
        "see that the prefix is longer than the least that the model caches and comes again before it is forgotten (`cache_point`), and "
        "raise `settle_s` until it is warm",
    ),
    "cache_above": Kind(
        "{share:%} of the prompt tokens were read from a cache where the scenario asks for {asked:%}",
        "latency and cost are not those of the cache that was asked for", "see what else the prompts have in common", "cached",
    ),
    "cache_untold": Kind(
        "the service does not say what it read from a cache, where the scenario asks for {asked:%} of the prompt tokens",
        "how warm the prompts were is not known",
        "have it counted (vLLM: `--enable-prompt-tokens-details`), or write `cache_point: none`",
    ),
    "prompt_lengths": Kind(
        "the prompts have {sent:n} tokens on average where {asked:n} were asked for ({off:%} off in sum)", "the work was another",
        "make them by the model's own `tokenizer:`",
    ),
    "answer_lengths": Kind(
        "the answers have {made:n} tokens on average where {asked:n} were asked for ({off:%} off in sum)", "the work was another",
        "hold their length, where the server can (`hold_length`), or ask for lengths that the model writes",
    ),
    "few_sessions": Kind(
        "only {finished:n} of {begun:n conversation/conversations} that began in the window finished ({cut:n} cut by its end)",
        "figures of whole conversations are little more than a guess", "measure longer (`measure_s`)",
    ),
    "early_turns": Kind(
        "its requests are turn {own:num} on average, those of whole conversations turn {whole:num}",
        "its prompts are shorter than those of whole conversations", _WHOLE_CONVERSATIONS, "early",
    ),
    "late_turns": Kind(
        "its requests are turn {own:num} on average, those of whole conversations turn {whole:num}",
        "its prompts are longer than those of whole conversations", _WHOLE_CONVERSATIONS, "late",
    ),
    "reconnects": Kind(
        "{share:%} of {requests:n request/requests} had to open a connection", "connecting is part of their times",
        "lengthen the keep-alive time of the server or the proxy before it", "fewer",
    ),
    "tokens_uncounted": Kind(
        "{share:%} of {successes:n success/successes} have no output-token count", "rates and prices per token leave them out",
        "set the target's `tokenizer:`",
    ),
    "tokens_mixed": Kind(
        "the output tokens of {share:%} of {counted:n answer/answers} were counted by the {rare}, the others' by the {usual}",
        "two measures are in one mean", "see why the service did not count all of them",
    ),
    "held_back": Kind(
        "the tokens of {share:%} of {streams:n stream/streams} came in one piece, held back by a proxy or the container",
        "TTFT is the time of the whole answer, and TPOT is not known", "turn buffering off on the way",
    ),
    "served_otherwise": Kind(
        "{share:%} of {answers:n answer/answers} were served, and billed, with {key} {found} where `{asked}` was asked for",
        "speed and price are not those asked for",
        "see which quota or prompt length was passed, or ask for what was served",
    ),
    "echo": Kind(
        "its answers look like the prompt given back ({output:n} output tokens for prompts of {prompt:n})",
        "throughput and prices by the output token count the prompt",
        "leave it out of the answer (of TGI and LMI by `return_full_text: false`)",
    ),
    "restart": Kind(
        "the endpoint went away and came back {times:times} (at the longest {hit:n} of {users:n} users were cut off within {away_s:s}, "
        "{failures:n} failures without a success in between)", "two states of it are in one window",
        "see why it restarted, and run the stage again", "fewer",
    ),
    # it had not settled
    "settle_failing": Kind(
        "its calls still failed after {settled_s:s} of settling ({failed:n} of the last {calls:n})",
        "the endpoint may not have been ready", f"see why, and if it was starting up {_SETTLE_LONGER}",
    ),
    "settle_slow": Kind(
        "only {ended:n} of the first {users:n} calls had ended after {settled_s:s} of settling", "the load was not yet an even one",
        _SETTLE_LONGER,
    ),
    "drifting": Kind(
        "its latencies were still drifting after {settled_s:s} of settling", "a longer run may measure others", _SETTLE_LONGER,
    ),
    "drifting_open": Kind(
        "its latencies were still drifting after {settled_s:s} of settling", "a longer run may measure others",
        f"{_SETTLE_LONGER}, or lower a rate that is above capacity",
    ),
    # stages without records, and repetitions taken together
    "no_records": Kind(
        "its figures are as its tool or table prints them, and nothing is known of the client",
        "no request of it can be counted again", _OTHER_IMPORT,
    ),
    "told_users_missing": Kind(
        "{own:num} requests in flight where {due:num} were due", "the load was below the planned one",
        "see whether its client waited between calls, or was short of CPU",
    ),
    "mean_call_priced": Kind(
        "its cost is that of a call of mean length, though the price has steps by length", "longer calls may cost more",
        _OTHER_IMPORT,
    ),
    "left_out": Kind(
        "{repetitions:names repetition/repetitions} left out as INVALID ({why})", "it is of the others alone", _AGAIN,
    ),
    # INVALID: records are missing or doubled, it has no whole window, or our own code failed
    "told_by_run": Kind("{text}", "", _AGAIN, verdict="INVALID"),
    "told_with_remedy": Kind("{text}", "", "{remedy}", verdict="INVALID"),
    "told_by_import": Kind("{text}", "", "import it again from files that hold all requests", verdict="INVALID"),
    "file_damaged": Kind(
        "{text}", "", "put back requests.csv as the run wrote it, or run the stage again (`--resume`)", verdict="INVALID",
    ),
    "internal": Kind(
        "{requests:n request/requests} ended by a fault of the load generator itself (class internal)", "",
        f"{_AGAIN}, and report it if it comes back", verdict="INVALID",
    ),
    "no_window": Kind("{text}", "", _AGAIN, verdict="INVALID"),
    "empty_window": Kind("no request began in its window", "", "raise `measure_s`, and run it again", verdict="INVALID"),
    "short_window": Kind(
        "no request began in its window of {window_s:s}, for its longest call took {longest_s:s}", "",
        "raise `measure_s` above that", verdict="INVALID",
    ),
    "not_closed_during": Kind(
        "the run was never closed during this stage", "its last records may be missing",
        f"let it end, or {_AGAIN}", verdict="INVALID",
    ),
    "not_whole": Kind(
        "it is not whole (records of it did not arrive in time, or a worker that began it was gone by its end)", "",
        _AGAIN, verdict="INVALID",
    ),
}  # fmt: skip
