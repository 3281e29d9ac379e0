#!/usr/bin/env bash
# Guess: genai-prices answers for the models that it lists and raises LookupError for others, as it does for a wrong
#   Claude id. An id that it prices has that price.
# What happens: a model is found by a rule of its own, for many families "the id contains". For Bedrock, any id that
#   contains `amazon.nova-pro` is Nova Pro 1: a next version that is not out, a geography that does not exist, a copy
#   of one's own, all get $0.80 per million, with the same certainty as the real id. A Claude that does not exist is
#   refused.
# Versions: genai-prices 0.2.3.
# Why it matters: the LookupError that a cost report relies on to say "no price" never comes for these families. The
#   day a new version is tested, its cost per transaction is computed from the old one's price. Compare the id that
#   was found (price.model.id) with the one asked for, geography apart, before the dollars are believed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check genai-prices==0.2.3

cat >probe.py <<'PY'
import sys

from genai_prices import Usage, calc_price

REAL = "amazon.nova-pro-v1:0"
INVENTED = ["amazon.nova-pro-v9:0", "xx.amazon.nova-pro-v1:0", "amazon.nova-pro-max-v1:0", "ours-not-amazon.nova-pro"]
REFUSED = "anthropic.claude-sonnet-9-20990101-v1:0"


def price(model):
    """Dollars for a million prompt tokens and the id that the library found, or None for an unknown model."""
    try:
        found = calc_price(Usage(input_tokens=1_000_000, output_tokens=0), model_ref=model, provider_id="aws")
    except LookupError:
        print(f"{model:42} LookupError")
        return None
    print(f"{model:42} ${found.total_price}, the price of {found.model.id}")
    return found.total_price


real = price(REAL)
invented = [price(model) for model in INVENTED]
refused = price(REFUSED)
if real is None or any(p != real for p in invented) or refused is not None:
    sys.exit("changed: genai-prices no longer has a price for each of the invented Nova models")
PY
venv/bin/python probe.py
