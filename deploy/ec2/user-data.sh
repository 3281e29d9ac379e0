#!/bin/bash
# User data of master and workers alike, on Amazon Linux 2023: what each is stands in its tags, which it reads by IMDSv2.
#   role    master or worker          bucket  where swarmledger.tar.gz is, and the run folder will be
#   run     the run's name            scenario  the scenario in that archive
#   workers worker processes in all (the master's) or on this machine (a worker's)
#   master  the master's private address (a worker's)      token   the secret's name in Secrets Manager
set -euo pipefail
trap 'echo "swarmledger: setting up failed; the machine is turned off" >&2; sleep 60; poweroff' ERR

session=$(curl -sf --retry 5 -X PUT http://169.254.169.254/latest/api/token -H "X-aws-ec2-metadata-token-ttl-seconds: 600")
meta() { curl -sf --retry 5 -H "X-aws-ec2-metadata-token: $session" "http://169.254.169.254/latest/meta-data/$1"; }
tag() { meta "tags/instance/$1"; }
AWS_REGION=$(meta placement/region)
export AWS_REGION
role=$(tag role) bucket=$(tag bucket) workers=$(tag workers)

dnf install -y -q python3.11 python3.11-pip tar
mkdir -p /opt/swarmledger/source
aws s3 cp --quiet "s3://$bucket/swarmledger.tar.gz" - | tar -xz -C /opt/swarmledger/source --strip-components 1
cd /opt/swarmledger/source
python3.11 -m venv /opt/swarmledger/venv
/opt/swarmledger/venv/bin/pip install --quiet -c constraints.txt .

install -d -m 0700 /etc/swarmledger
secret=$(tag token)
(umask 077 && aws secretsmanager get-secret-value --secret-id "$secret" --query SecretString --output text >/etc/swarmledger/token)
{
    echo "AWS_REGION=$AWS_REGION"
    echo "SWARMLEDGER_SCENARIO=/opt/swarmledger/source/$(tag scenario)"
    if [ "$role" = master ]; then
        echo "SWARMLEDGER_RUN_DIR=s3://$bucket/$(tag run)"
        echo "LOCUST_EXPECT_WORKERS=$workers"
        echo "LOCUST_EXPECT_WORKERS_MAX_WAIT=900"
        echo "LOG_OBJECT=s3://$bucket/logs/$(tag run).txt"
    else
        echo "LOCUST_MASTER_NODE_HOST=$(tag master)"
    fi
} >/etc/swarmledger/run.env

# Ports and files are few by default for 400 streams a process
echo "net.ipv4.ip_local_port_range = 1024 65535" >/etc/sysctl.d/90-swarmledger.conf
sysctl --quiet --system
cp deploy/ec2/swarmledger-*.service /etc/systemd/system/
systemctl daemon-reload
if [ "$role" = master ]; then
    systemctl start --no-block swarmledger-master
    exit 0
fi
units=()
for number in $(seq "$workers"); do units+=("swarmledger-worker@$number"); done
systemctl start "${units[@]}"
while systemctl is-active --quiet "${units[@]}" || systemctl list-units --state=activating --no-legend "swarmledger-worker@*" | grep -q .; do sleep 10; done
poweroff    # with --instance-initiated-shutdown-behavior terminate: nothing is left to be paid
