#!/usr/bin/env bash
# Starts a run on the stack: a master, and workers that know its address. Again with the same NAME: goes on with the run.
usage() {
    cat <<END
Usage: deploy/ecs/run.sh STACK NAME WORKERS SUBNET[,SUBNET...] [OPTION OF THE MASTER...]

Starts a master and WORKERS workers on Fargate; the run folder is s3://BUCKET/NAME, BUCKET being the stack's. Subnets must lead to
AWS (a NAT gateway, or endpoints of the VPC); with ASSIGN_PUBLIC_IP=ENABLED they may be public ones, as the default VPC's are.

example: deploy/ecs/run.sh swarmledger study-1 4 subnet-0aaa,subnet-0bbb
example: deploy/ecs/run.sh swarmledger study-2 4 subnet-0aaa --yes
END
}
set -euo pipefail
case ${1:-} in -h | --help) usage; exit 0 ;; esac
fail() { echo "error: $*" >&2; exit 1; }
[ $# -ge 4 ] || fail "$# arguments given; see deploy/ecs/run.sh --help"
stack=$1 name=$2 workers=$3 subnets=$4
shift 4
[[ $name =~ ^[A-Za-z0-9][-A-Za-z0-9._/]*$ ]] || fail "NAME: \`$name\` is no part of an S3 key as a run has; use letters, digits, - . _ /"
[[ $workers =~ ^[1-9][0-9]{0,2}$ ]] || fail "WORKERS: \`$workers\` is no number from 1 to 999"
[[ $subnets =~ ^subnet-[0-9a-f]+(,subnet-[0-9a-f]+)*$ ]] || fail "SUBNET: \`$subnets\`; give ids, as subnet-0aaa,subnet-0bbb"
command -v aws >/dev/null || fail "aws: not found; install AWS CLI 2.15 or newer"

outputs=$(aws cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text)
of() { awk -v key="$1" '$1 == key { print $2 }' <<<"$outputs"; }
cluster=$(of Cluster)
[ -n "$cluster" ] || fail "stack \`$stack\` has no output Cluster; make it of deploy/ecs/swarmledger.yaml"

# task ROLE COUNT GROUP OVERRIDES: their ARNs
task() {
    local started
    started=$(aws ecs run-task --cluster "$cluster" --task-definition "$(of "$1")" --count "$2" --launch-type FARGATE \
        --started-by "${name:0:128}" --propagate-tags TASK_DEFINITION --overrides "$4" --network-configuration \
        "awsvpcConfiguration={subnets=[$subnets],securityGroups=[$(of "$3")],assignPublicIp=${ASSIGN_PUBLIC_IP:-DISABLED}}" \
        --query '[tasks[].taskArn, failures[].reason]' --output json) || return 1    # aws has said why
    python3 -c '
import json, sys
tasks, failures = json.load(sys.stdin)
print(*(tasks or []), sep="\n")
if failures: sys.exit("error: ECS: " + "; ".join(sorted(set(failures))))' <<<"$started"
}
stop_all() {
    echo "Stopping what was started ..." >&2
    for each in $started; do aws ecs stop-task --cluster "$cluster" --task "$each" --reason "run.sh failed" >/dev/null || true; done
}
json() { python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@"; }

started=
trap stop_all ERR
trap 'stop_all; exit 130' INT TERM
master=$(task Master 1 MasterGroup "{\"containerOverrides\": [{\"name\": \"master\", \"command\": $(json master "$@"), \"environment\": [
    {\"name\": \"SWARMLEDGER_RUN_DIR\", \"value\": \"s3://$(of Bucket)/$name\"},
    {\"name\": \"LOCUST_EXPECT_WORKERS\", \"value\": \"$workers\"}]}]}")
started=$master
echo "Master: $master; waiting for its address ..."
aws ecs wait tasks-running --cluster "$cluster" --tasks "$master" || {    # which alone says that a waiter failed
    echo "error: the master does not run: $(aws ecs describe-tasks --cluster "$cluster" --tasks "$master" --output text \
        --query 'tasks[0].[lastStatus,stoppedReason,containers[0].reason]')" >&2
    false
}
address=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$master" --output text \
    --query 'tasks[0].attachments[].details[?name==`privateIPv4Address`].value[]')
[ -n "$address" ] || { echo "error: the master has no address; see its log" >&2; false; }
left=$workers
while [ "$left" -gt 0 ]; do    # ten a call are all that ECS takes
    some=$((left < 10 ? left : 10))
    fine=yes
    more=$(task Worker "$some" WorkerGroup "{\"containerOverrides\": [{\"name\": \"worker\", \"environment\": [
        {\"name\": \"LOCUST_MASTER_NODE_HOST\", \"value\": \"$address\"}]}]}") || fine=
    started="$started $more"    # some of ten may have been started
    [ -n "$fine" ]
    left=$((left - some))
done
echo "$workers workers were started, for the master at $address."
echo "Watch:  aws logs tail $(of Log) --follow --log-stream-name-prefix run/master"
echo "Stop:   aws ecs stop-task --cluster $cluster --task ${master##*/}"
echo "End:    until aws ecs wait tasks-stopped --cluster $cluster --tasks ${master##*/}; do sleep 5; done"
echo "Code:   aws ecs describe-tasks --cluster $cluster --tasks ${master##*/} --query 'tasks[0].[stoppedReason,containers[0].exitCode]' --output text"
echo "Report: python -m analysis report s3://$(of Bucket)/$name"
