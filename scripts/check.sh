#!/usr/bin/env bash
# What a machine can say of a change before any test runs: format, rules, types, floors. Each is set in pyproject.toml.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/check.sh [--fix]

Sets up .venv and checks the whole tree: its format and its rules (ruff), its types (mypy), and that every folder
imports only from the floors below it (import-linter). All four are run, whichever fails; well under a minute.

  --fix    put right what can be put right by itself (format, imports, plain rules), then check

exit code: 0 fine, 1 something was found, or a wrong option

example: scripts/check.sh --fix
HELP
}

fix=""
while [ $# -gt 0 ]; do
    case $1 in
        --fix) fix=yes && shift ;;
        -h | --help) usage; exit 0 ;;
        *) echo "error: $1: unknown option; see scripts/check.sh --help" >&2; exit 1 ;;
    esac
done

cd "$(dirname "$0")/.."
. scripts/lib/venv.sh
make_venv requirements.txt analysis/requirements.txt tests/requirements.txt

failed=()
# check NAME COMMAND...   shows what the command says only where it finds something
check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "$name: fine"
    else
        printf '%s\n%s: see above\n' "$said" "$name"
        failed+=("$name")
    fi
}

if [ -n "$fix" ]; then
    .venv/bin/ruff check --quiet --fix-only .
    .venv/bin/ruff format --quiet .
fi
check format .venv/bin/ruff format --check --diff .
check rules .venv/bin/ruff check --output-format concise .
check types .venv/bin/python -m mypy --no-error-summary
check floors .venv/bin/lint-imports --no-logo
if [ ${#failed[@]} -gt 0 ]; then
    echo "error: ${failed[*]}: not fine; scripts/check.sh --fix puts right what it can" >&2
    exit 1
fi
