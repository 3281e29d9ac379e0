#!/usr/bin/env bash
# Compiles constraints.txt anew from the requirement files: the version of every distribution that they bring, for every
# platform and Python from 3.11 on. Run it after a change of a pin; --upgrade takes the newest of what is not pinned.
set -euo pipefail

case ${1:-} in
    "" | --upgrade) ;;
    -h | --help)
        echo "usage: scripts/lock.sh [--upgrade]"
        sed -n '2,3s/^# //p' "$0"
        echo; echo "example: scripts/lock.sh"
        exit 0 ;;
    *) echo "error: $1: unknown option; see scripts/lock.sh --help" >&2; exit 1 ;;
esac

cd "$(dirname "$0")/.."
. scripts/lib/venv.sh
files=(requirements.txt analysis/requirements.txt scripts/emulator/requirements.txt tests/requirements.txt)
make_venv "${files[@]}"
export UV_CUSTOM_COMPILE_COMMAND=scripts/lock.sh
.venv/bin/python -m uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
    --output-file constraints.txt "$@" "${files[@]}"
