"""Whole mixes beside each other: all parts together, as the report has them, in the form in which stages are compared."""

import dataclasses

from analysis.comparison.align import Candidates, Key
from analysis.cost.pricing import Prices
from analysis.verdicts.intervals import THROUGHPUT, USD
from analysis.verdicts.mixes import Mix, mixes_of
from analysis.verdicts.serial_intervals import ERROR_RATE
from analysis.verdicts.stage_results import Result
from analysis.words.cost_figures import Cost
from analysis.words.session_figures import SessionFigures
from analysis.words.stage_figures import Identity, Outcome, StageFigures, Throughput, Trust
from locustfiles.contract.scenario.mixes import Part, mix_text


def whole_mixes(
    levels: Candidates, prices: dict[str, Prices], both: dict[Key, dict[str, Result]], reference: str
) -> dict[Key, dict[str, Result]]:
    """Those of the reference and another run whose parts all stand beside each other. levels, prices: by run; both: the stages that do,
    by key."""
    keys = {r.key: key for key, some in both.items() for r in some.values()}
    found: dict[Key, dict[str, Result]] = {}
    for run in sorted(levels, key=lambda run: run != reference):
        for mix in mixes_of(levels[run], prices):
            parts = sorted(keys[r.key] for r in mix.parts if r.key in keys)
            if len(parts) == len(mix.parts):
                targets = " + ".join(f"`{target}`" for target in dict.fromkeys(target for target, *_ in parts))
                payloads = " + ".join(dict.fromkeys(payload for _, payload, _, _ in parts))
                found.setdefault((f"all parts together of {targets}", payloads, *parts[0][2:]), {})[run] = whole(mix)
    return {key: some for key, some in found.items() if reference in some and len(some) > 1}


def whole(mix: Mix) -> Result:
    """As if it were one stage: what of a mix is known as such, and nothing else. Of different work no times are known."""
    first, usd = mix.first, mix.cost.usd
    figures = StageFigures(
        identity=dataclasses.replace(_identity(mix), users=first.users, rate=first.rate),
        outcome=Outcome(
            requests=mix.requests,
            successes=mix.successes,
            failures=mix.failures,
            cancelled=mix.cancelled,
            error_rate=mix.error_rate,
        ),
        throughput=Throughput(
            throughput_per_s=mix.throughput_per_s,
            transactions_per_minute=None if mix.throughput_per_s is None else 60 * mix.throughput_per_s,
            in_flight_mean=mix.in_flight_mean,
        ),
        sessions=SessionFigures(sessions=_sessions(mix)),
        cost=Cost(
            usd_per_transaction=usd,
            usd_per_transaction_low=mix.cost.low,
            usd_per_transaction_high=mix.cost.high,
            usd_per_10k_transactions=None if usd is None else 10_000 * usd,
        ),
        trust=Trust(verdict=mix.verdict, reasons=_reasons(mix)),
        run=first.run,
    )
    ends = {THROUGHPUT: mix.throughput_ends, USD: mix.cost.ends, ERROR_RATE: mix.error_rate_ends}
    known = {of: own for of, own in ends.items() if own is not None}
    return Result(figures, [], known, mix.cost.reason, "all parts together", series=known)


def _identity(mix: Mix) -> Identity:
    """Of what it is made of."""
    each = [r.figures.identity for r in mix.parts]
    parts = [Part(i.target, i.payload, i.mix_share or 0.0) for i in each]
    return Identity(
        stage=each[0].stage,
        target=mix_text(parts),
        model=", ".join(dict.fromkeys(i.model for i in each)),
        service=", ".join(dict.fromkeys(i.service for i in each)),
        payload=" + ".join(dict.fromkeys(i.payload for i in each)),
        stream=any(i.stream for i in each),
    )


def _sessions(mix: Mix) -> int | None:
    """How many began; None where requests are part of none."""
    known = [n for r in mix.parts if (n := r.figures.sessions.sessions) is not None]
    return sum(known) if known else None


def _reasons(mix: Mix) -> str:
    """Whose they are, for a part's own row says what they are."""
    doubtful = [r for r in mix.parts if r.figures.trust.verdict != "VALID"]
    return ", ".join(f"part {r.figures.identity.target} is {r.figures.trust.verdict}" for r in doubtful)
