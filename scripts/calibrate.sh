#!/usr/bin/env bash
# The instrument's own error on this machine: a sweep against a local endpoint that keeps an exact timetable,
# compared request by request with what the endpoint says it did.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/calibrate.sh [--users N | --scenario FILE] [--tls | --no-tls] [--measure-s S] [--bound-ms MS] [--run-dir FOLDER]

Starts a local endpoint (TTFT 100 ms, 100 tokens/s a stream) on one core and a sweep on another, prints the error
of TTFT, last token and latency, and cleans up. Exit code 2: beyond the bound, or requests or tokens differ.

  --users N         streaming users (default 20)
  --scenario FILE   as many users as this scenario's largest level, with its transport and stamps
  --tls, --no-tls   over HTTPS, as AWS is asked, with a certificate made for the purpose, or over plain HTTP;
                    default: HTTPS, unless every target of the scenario has an http URL
  --measure-s S     seconds measured, half for each service (default 20)
  --bound-ms MS     limit on the p99 error of TTFT and latency (default 5)
  --run-dir FOLDER  where the run goes; default runs/calibrate-<UTC time>

example: scripts/calibrate.sh --scenario configs/llama2-13b-study.yaml
HELP
}

users="" scenario="" tls="" seconds=20 bound=5 run_dir=""
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --tls) tls=yes; shift ;;
        --no-tls) tls=no; shift ;;
        --users | --scenario | --measure-s | --bound-ms | --run-dir)
            [ $# -ge 2 ] || { echo "error: $1: needs a value; see scripts/calibrate.sh --help" >&2; exit 1; }
            case $1 in
                --users) users=$2 ;;
                --scenario) scenario=$(realpath -m -- "$2") ;;
                --measure-s) seconds=$2 ;;
                --bound-ms) bound=$2 ;;
                --run-dir) run_dir=$(realpath -m -- "$2") ;;
            esac
            shift 2 ;;
        *) echo "error: $1: unknown option; see scripts/calibrate.sh --help" >&2; exit 1 ;;
    esac
done
[ -z "$users" ] || [ -z "$scenario" ] || { echo "error: --users $users: excludes --scenario; give one" >&2; exit 1; }

cd "$(dirname "$0")/.."
run_dir=${run_dir:-runs/calibrate-$(date -u +%Y%m%dT%H%M%SZ)}
. scripts/lib/venv.sh
make_venv requirements.txt analysis/requirements.txt

. scripts/lib/local_sweep.sh
.venv/bin/python -m scripts.lib.calibrate_scenario --users "$users" --scenario "$scenario" --measure-s "$seconds" --tls "$tls" --out "$work/scenario.yaml"
tls_options=()
if [ -f "$work/certificate.pem" ]; then
    tls_options=(--tls-cert "$work/certificate.pem" --tls-key "$work/key.pem")
    export AWS_CA_BUNDLE="$work/certificate.pem"
fi

# Endpoint and client must not take each other's core.
first="" second=""
read -r -a cores <<<"$(.venv/bin/python -c 'import os; print(*sorted(os.sched_getaffinity(0)))' 2>/dev/null || true)"
if command -v taskset >/dev/null && [ "${#cores[@]}" -ge 2 ]; then
    first="taskset -c ${cores[0]}" second="taskset -c ${cores[1]}"
else
    echo "Endpoint and client are not pinned to a core each (one core only, or no taskset): the errors are both programs'."
fi

start_endpoint $first .venv/bin/python -m scripts.emulator --config configs/emulator/calibrate.yaml --port 0 --truth "$work/truth.jsonl" ${tls_options[@]+"${tls_options[@]}"}
run_sweep $second .venv/bin/locust -f locustfiles/sweep.py --scenario "$work/scenario.yaml" --run-dir "$run_dir" --headless --only-summary
stop_endpoint

code=0
.venv/bin/python -m analysis calibrate "$run_dir" --truth "$work/truth.jsonl" --bound-ms "$bound" || code=$?
[ "$code" -eq 1 ] && exit 1
cp "$work/truth.jsonl" "$run_dir/report/truth.jsonl"
echo "For a report's error bar: python -m analysis report RUN --calibration $run_dir/report/calibration.json"
exit "$code"
