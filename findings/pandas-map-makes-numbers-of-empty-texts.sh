#!/usr/bin/env bash
# Guess: a column that was read as text stays one when a function from text to text is mapped over it.
# What happens: not where all of its cells are empty. Series.map(function, na_action="ignore") gives float64 then, although
#   read_csv was told dtype="str", and the next `.str` raises AttributeError. One cell with a text, and it is text.
# Versions: pandas 3.1.1.
# Why it matters: columns of reasons (errors, stop reasons) are empty exactly where a load test went well, or where all of
#   it failed. An analysis that was tried on runs with some of both ends with a traceback on the first run of one kind.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check pandas==3.1.1

cat >probe.py <<'PY'
import io
import sys

import pandas

kinds = {}
for words, reason in (("one reason ", "throttled"), ("no reason  ", "")):
    file = io.StringIO(f"latency_ms,reason\n12,{reason}\n34,\n")
    column = pandas.read_csv(file, dtype={"reason": "str"})["reason"]
    mapped = column.map(str.upper, na_action="ignore")
    try:
        said = mapped.str.len().tolist()
    except AttributeError as e:
        said = f"AttributeError: {e}"
    kinds[words] = mapped.dtype == column.dtype
    print(f"{words} read as {column.dtype}, mapped to {mapped.dtype}; .str.len(): {said}")
if list(kinds.values()) != [True, False]:
    sys.exit("changed: a column of texts stays one, empty or not")
PY
venv/bin/python probe.py
