"""Prompts of a scenario counted by the service, free of charge, before `check` makes a call.

What sends is the load side's; it is imported when the command runs.
"""

from analysis.words import format as show
from locustfiles.contract.prices.charge import Usage, charge
from locustfiles.contract.prices.price import TokenPrice

Counts = dict[tuple[str, str], dict[str, int]]  # (target, payload) -> prompt id -> tokens


def counted(sender, inputs, problems: list[str]) -> tuple[Counts, list[str]]:
    """Counts of the targets whose model offers it and whose endpoint answers, and a line for each payload."""
    from locustfiles.common.calls.count_tokens import TokenCounts, offered
    from locustfiles.common.planning.prompt_tokens import spread

    counter, counts, lines = TokenCounts(sender), Counts(), list[str]()
    for target in inputs.scenario.targets:
        price = inputs.prices[target.name]
        if not offered(target) or not isinstance(price, TokenPrice) or any(target.name in p for p in problems):
            continue
        for stem in inputs.stems_of(target.name):
            lines_of = inputs.payloads[stem]
            made = counter.of(target, [inputs.sent(target, stem, line) for line in spread(target, lines_of)])
            talks = any(p.turns for p in lines_of)
            if made.tokens:
                counts[target.name, stem] = made.tokens
                lines.append(_said(target.name, stem, made.tokens, len(inputs.payloads[stem]), price, talks))
            if made.refused:
                lines.append(
                    f"Not counted: {target.name}, {stem}: {made.refused}; prompts are taken from the first calls."
                )
                break
    return counts, lines


def _said(target: str, stem: str, tokens: dict[str, int], lines: int, price: TokenPrice, talks: bool) -> str:
    """`Counted: t, long: 20 of 40 lines, 11 to 162,848 prompt tokens, $0.0011 to $0.081 each without a cache.` talks: some are
    conversations."""
    low, high = min(tokens.values()), max(tokens.values())
    usd = [charge(Usage(n, 0, units=0.0), price).usd for n in (low, high)]
    costs = " to ".join(dict.fromkeys(show.money(float(each)) for each in usd if each is not None))
    span = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    share = f"all {lines} lines" if len(tokens) == lines > 1 else f"{len(tokens)} of {lines} lines"
    first = " (of conversations the first turn)" if talks else ""
    return f"Counted: {target}, {stem}: {share}, {span} prompt tokens{first}, {costs} each without a cache."
