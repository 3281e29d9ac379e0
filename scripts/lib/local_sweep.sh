# Sourced by demo.sh and calibrate.sh: a local endpoint, a sweep against it, and both gone at the end, whatever ends it.
# Uses $run_dir; sets $work, a folder that goes as well, and $url.

work=$(mktemp -d)
endpoint="" sweep="" progress=""
clean_up() {
    trap - EXIT INT TERM
    [ -z "$sweep" ] || { kill -INT "$sweep" 2>/dev/null && wait "$sweep" 2>/dev/null; } || true
    [ -z "$progress" ] || wait "$progress" || true
    stop_endpoint
    rm -rf "$work"
}
trap clean_up EXIT
trap 'echo; echo "Stopping: the endpoint goes, what was measured stays in $run_dir"; clean_up; exit 130' INT TERM

# start_endpoint COMMAND...   and waits until it listens
start_endpoint() {
    "$@" >"$work/endpoint.log" 2>&1 &
    endpoint=$!
    url=""
    for _ in $(seq 300); do
        url=$(sed -n 's/^listening on //p' "$work/endpoint.log")
        [ -n "$url" ] && break
        kill -0 "$endpoint" 2>/dev/null || break
        sleep 0.2
    done
    [ -n "$url" ] || { cat "$work/endpoint.log" >&2; echo "error: local endpoint: did not start; see its message above" >&2; exit 1; }
    # The credentials are the example pair of AWS's documentation; the local endpoint checks their signatures.
    export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
    export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=$url AWS_ENDPOINT_URL_BEDROCK_RUNTIME=$url
    export AWS_EC2_METADATA_DISABLED=true NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
    unset AWS_SESSION_TOKEN AWS_PROFILE AWS_BEARER_TOKEN_BEDROCK
}

stop_endpoint() {
    [ -z "$endpoint" ] || { kill "$endpoint" 2>/dev/null && wait "$endpoint" 2>/dev/null; } || true
    endpoint=""
}

# run_sweep COMMAND...   shows its stages; ends the script with its exit code if that is not 0
run_sweep() {
    local code=0
    : >"$work/locust.log"
    "$@" >>"$work/locust.log" 2>&1 &
    sweep=$!
    tail -f -n +1 -s 0.2 --pid="$sweep" "$work/locust.log" | sed -un 's/^.*swarmledger: /  /p' &
    progress=$!
    wait "$sweep" || code=$?
    sweep=""
    wait "$progress" || true
    progress=""
    if [ "$code" -ne 0 ]; then
        grep -E "error|ERROR" "$work/locust.log" >&2 || tail -n 20 "$work/locust.log" >&2
        echo "error: $run_dir: the sweep ended with exit code $code; see above" >&2
        exit "$code"
    fi
}
