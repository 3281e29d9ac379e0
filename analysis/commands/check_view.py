"""What `check` prints: a target with its call, and the run ahead.

What belongs to the load side is imported when the command runs, not with the analysis.
"""

import os

import rich.box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from analysis.commands.check_counts import Counts
from analysis.cost.pricing import price_text
from analysis.words import format as show
from locustfiles.contract.error_classes import OwnCode
from locustfiles.contract.prices.charge import charge, usage_of
from locustfiles.contract.prices.price import HourlyPrice, Price, TokenPrice
from locustfiles.contract.prices.sourced import Source
from locustfiles.contract.record import RequestRecord
from locustfiles.contract.scenario.remedies import IN_ONE_PIECE, NO_COUNTS
from locustfiles.contract.scenario.targets import BedrockTarget, OpenAITarget, Target

#: where boto3 found the credentials, by the name that botocore gives the place
PLACES = {
    "env": "environment variables",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the AWS config file",
    "assume-role": "an assumed role",
    "assume-role-with-web-identity": "an assumed role (web identity)",
    "sso": "IAM Identity Center (aws sso login)",
    "custom-process": "a credential process",
    "container-role": "the container's role",
    "iam-role": "the EC2 instance's role",
}


def identity(sender, target: Target) -> str:
    """Whose name a target is called in, and where that was found; never a key."""
    if isinstance(target, OpenAITarget) and target.auth == "api_key":
        there = "" if os.environ.get(target.key_variable) else " is not set: no key is sent"
        return f"{target.key_variable}{there}" if there else f"key from {target.key_variable}"
    if isinstance(target, BedrockTarget) and os.environ.get("AWS_BEARER_TOKEN_BEDROCK"):
        return "Bedrock API key from AWS_BEARER_TOKEN_BEDROCK"
    import botocore.session

    session = sender.session.boto3
    method = session.get_credentials().method
    place = PLACES.get(method, method)
    if method == "env":
        return place
    role = botocore.session.Session(profile=os.environ.get("AWS_PROFILE")).get_scoped_config().get("role_arn")
    return f"{place}, profile {session.profile_name}" + (f", role {role}" if role else "")


def target_table(sender, target: Target, price: Price, source: Source, record: RequestRecord | None) -> Table:
    """Endpoint, identity and price of a target, and what its call was like."""
    origin = sender.session.origin(target)
    served = (target.model_id or target.asked) if target.service == "sagemaker" else target.model_id
    rows = {
        "endpoint": f"{origin.scheme}://{origin.host}:{origin.port}",
        "model": served if target.model in (None, served) else f"{target.model} ({served})",
        "credentials": identity(sender, target),
        "price": price_text(price)
        + (f" (x {price.instance_count})" if isinstance(price, HourlyPrice) and price.instance_count > 1 else ""),
    }
    rows |= source_rows(source)
    if record:
        rows |= call_rows(record, price, target.stream, target.writes_text)
    table = Table(
        title=f"target {target.name}", title_justify="left", box=rich.box.SIMPLE_HEAD, show_header=False, pad_edge=False
    )
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table


def source_rows(source: Source) -> dict[str, str]:
    """Where the price is from, what was done with it, and what speaks against it."""
    entry = f", entry {source.entry}" if source.entry else ""
    rows = {"priced by": source.text + entry}
    rows |= {"priced with": "; ".join(source.rules)} if source.rules else {}
    return rows | ({"price: mind": "\n".join(source.cautions)} if source.cautions else {})


def call_rows(record: RequestRecord, price: Price, stream: bool, writes_text: bool = True) -> dict[str, str]:
    """What one call was like, in words."""
    shown = {
        "answer": "well" if record.error is None else " ".join(filter(None, (record.error, record.error_code))),
        "latency": show.milliseconds(record.latency_ms),
        "TTFT": show.milliseconds(record.ttft_ms) if record.ttft_ms is not None else f"{show.UNKNOWN} (not streamed)",
        "prompt tokens": _tokens(record.prompt_tokens, record.prompt_token_source),
        "completion tokens": _tokens(record.completion_tokens, record.token_source),
    }
    if record.error is not None and record.ttft_ms is None:
        shown["TTFT"] = show.UNKNOWN
    elif stream and record.ttft_ms is None:
        shown["remark"] = f"it {IN_ONE_PIECE}"
    if (
        record.error is None
        and writes_text
        and isinstance(price, TokenPrice)
        and "none" in (record.token_source, record.prompt_token_source)
    ):
        shown["tokens"] = NO_COUNTS
    if record.error is None and record.error_code == OwnCode.UNREADABLE_USAGE:
        shown["usage"] = f"{record.error_message}: those counts are left empty"
    if not writes_text:
        shown["completion tokens"] = f"{show.UNKNOWN} (it has none)"
    if record.guardrail_units:
        shown["guardrail units"] = record.guardrail_units
    if isinstance(price, TokenPrice):
        shown["cost of this call"] = show.money(
            None if (usd := charge(usage_of(record), price).usd) is None else float(usd)
        )
    else:
        shown["cost of this call"] = "none of its own: paid by the hour"
    return shown | {"request id": show.text(record.request_id)}


def _tokens(count: int | None, source: str) -> str:
    return f"{count:,} ({source})" if count is not None else f"{show.UNKNOWN} (not known)"


def print_ahead(console: Console, inputs, records: list[RequestRecord], counts: Counts) -> None:
    """The stages, and the run's time and cost by the first calls that were answered."""
    from locustfiles.common.planning.estimate import dollars, estimate
    from locustfiles.common.planning.first_call import averaged, call_of
    from locustfiles.common.planning.plan import plan
    from locustfiles.common.planning.prompt_tokens import steps_reached
    from locustfiles.common.planning.sample_sizes import too_small_samples

    groups = plan(inputs)
    console.print(_stages_table(inputs, groups))
    scenario = inputs.scenario
    if scenario.cancel:
        console.print(f"Clients leave {scenario.cancel.text}.", highlight=False)
    if scenario.budget_usd is not None:
        console.print(f"Budget: the run stops itself before it spends {dollars(scenario.budget_usd)}.", highlight=False)
    worked: dict = {}
    for r in records:
        if not r.error:
            worked.setdefault((r.target, r.payload), []).append(call_of(r, inputs.prices[r.target]))
    failed = {(r.target, r.payload) for r in records} - worked.keys()
    made = {key: averaged(calls) for key, calls in worked.items()}
    for dearer in steps_reached(inputs, made, counts):
        console.print(f"Dearer: {escape(dearer)}.", highlight=False)
    if not made:
        console.print("Time and cost ahead are told when a target has answered a call.", highlight=False)
        return
    ahead = estimate(inputs, groups, made, failed, counts)
    console.print(f"Ahead: {ahead.text}.", highlight=False)
    first = {target: call for (target, _), call in reversed(made.items())}
    for shortage in too_small_samples(inputs, groups, first):
        console.print(f"Too few answers: {escape(shortage)}.", highlight=False)
    for far in inputs.far_replays:
        console.print(f"Other lengths: {escape(far)}.", highlight=False)
    for inexact in inputs.inexact_lines:
        console.print(f"Not exact: {escape(inexact)}.", highlight=False)
    console.print(_whether_it_may(ahead, inputs), highlight=False)


def _whether_it_may(ahead, inputs) -> str:
    """Whether the run begins by itself, asks first, or is refused."""
    from locustfiles.common.planning.confirm import cost_text, needs_yes
    from locustfiles.common.planning.estimate import dollars
    from locustfiles.contract.scenario.billed_units import counted_unit

    scenario = inputs.scenario
    if scenario.budget_usd is not None and any(counted_unit(inputs.prices[name]) for name in ahead.unknown):
        return "The run will be refused: no budget can be kept."
    most, limit = needs_yes(ahead, scenario), dollars(scenario.confirm_above_usd)
    if most is None:
        return f"No confirmation is needed (confirm_above_usd: {limit})."
    return f"It may cost {cost_text(most, ahead, inputs.prices)}, above confirm_above_usd ({limit}): it asks first, or needs --yes."


def _stages_table(inputs, groups) -> Table:
    table = Table(title="the run ahead", title_justify="left", box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for column in ("target", "payload", "repeat", "stages", "planned, each"):
        table.add_column(column)
    from locustfiles.common.planning.plan import alone
    from locustfiles.common.planning.turns_ahead import due_words

    for group in alone(groups):
        each = show.seconds(inputs.stage_s(group.load))
        stages = stages_text(group, due_words(inputs.payloads[group.payload])) + (
            f" of a mix ({show.percent(group.share)} of its requests)" if group.share else ""
        )
        table.add_row(*map(escape, (group.target, group.payload, str(group.repeat), stages, each)))
    return table


def stages_text(group, due: str = "requests/s") -> str:
    """`users 1, 2, 5`, or what is searched or replayed. due: the unit of its rate."""
    if group.load.find:
        return f"search of {group.load.find.of} up to {group.load.find.up_to:g}, at most {show.seconds(group.load.find.at_most_s)} in all"
    if group.load.replay:
        return f"replay of {group.load.replay} ({group.levels[0].text})"
    if group.load.ramp:
        ramp = group.load.ramp
        return f"{group.load.arrivals_text} arrivals, a ramp from {ramp.begin:g} to {ramp.end:g} {due}"
    if group.load.open_loop:
        return f"{group.load.arrivals_text} arrivals, {due} " + ", ".join(f"{level.rate:g}" for level in group.levels)
    return "users " + ", ".join(str(level.users) for level in group.levels)
