"""Fargate and EC2: the template passes cfn-lint, units pass systemd's own check, scripts refuse what is wrong."""

import pathlib
import re
import shutil
import subprocess

import pytest
import yaml
from cfnlint.api import lint_file

from tests.deploy.test_aws_commands import WALKS
from tests.deploy.test_policy import Cloud
from tests.helpers.documents import ROOT, commands

ECS, EC2 = ROOT / "deploy/ecs", ROOT / "deploy/ec2"
SCRIPTS = [ECS / "run.sh", EC2 / "user-data.sh", ROOT / "deploy/kubernetes/render.sh"]


def template() -> dict:
    return yaml.load((ECS / "swarmledger.yaml").read_text(encoding="utf-8"), Cloud)


def resources(kind: str) -> dict[str, dict]:
    return {name: one["Properties"] for name, one in template()["Resources"].items() if one["Type"] == kind}


def test_cfn_lint_has_nothing_to_say():
    assert [str(found) for found in lint_file(ECS / "swarmledger.yaml")] == []


def test_cfn_lint_finds_a_wrong_property(tmp_path):
    text = (ECS / "swarmledger.yaml").read_text(encoding="utf-8").replace("StopTimeout: 120", "StopTimeOut: 120")
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    assert any("StopTimeOut" in str(found) for found in lint_file(tmp_path / "t.yaml"))


def test_the_template_has_no_aliases_which_cloudformation_does_not_read():
    events = yaml.parse((ECS / "swarmledger.yaml").read_text(encoding="utf-8"), Cloud)
    assert [event for event in events if isinstance(event, yaml.AliasEvent)] == []


def test_a_task_has_the_longest_grace_and_tells_the_run():
    for one in resources("AWS::ECS::TaskDefinition").values():
        [container] = one["ContainerDefinitions"]
        told = {each["Name"]: each["Value"] for each in container["Environment"]}
        assert container["StopTimeout"] == int(told["SWARMLEDGER_GRACE_S"]) == 120
        assert container["ReadonlyRootFilesystem"] and container["User"] == "10001:10001"
        assert container["HealthCheck"]["Command"][:2] == ["CMD", "swarmledger-load"]
        assert 0 in container["RestartPolicy"]["IgnoredExitCodes"]


def test_only_workers_reach_the_master_and_nobody_a_worker():
    [rule] = resources("AWS::EC2::SecurityGroupIngress").values()
    assert (rule["FromPort"], rule["ToPort"], rule["IpProtocol"]) == (5557, 5557, "tcp")
    assert rule["GroupId"] == {"GetAtt": "MasterGroup.GroupId"}
    assert rule["SourceSecurityGroupId"] == {"GetAtt": "WorkerGroup.GroupId"}
    for one in resources("AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in one
        assert {egress["ToPort"] for egress in one["SecurityGroupEgress"]} == {443, 53}


def test_the_bucket_is_private_and_encrypted_and_outlives_the_stack():
    [bucket] = resources("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["BucketEncryption"]
    assert template()["Resources"]["Runs"]["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_stops_at_its_first_failure(script):
    assert "\nset -euo pipefail\n" in script.read_text(encoding="utf-8")
    assert subprocess.run(["bash", "-n", script]).returncode == 0


@pytest.mark.parametrize("readme", WALKS, ids=lambda path: path.parent.name)
def test_what_a_walk_types_can_be_read_and_names_files_that_are_there(readme):
    typed = commands(readme)
    assert len(typed) > 5
    for command in typed:
        assert subprocess.run(["bash", "-n", "-c", command]).returncode == 0, command
        for path in re.findall(
            r"(?<![\w/])(?:deploy/(?:compose|ec2|ecs|helm|image|kubernetes)|configs/)[\w./-]*", command
        ):
            assert (ROOT / path).exists(), command


def run_sh(*arguments: str) -> tuple[int, str]:
    done = subprocess.run([ECS / "run.sh", *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "error: 0 arguments given; see deploy/ecs/run.sh --help\n"),
        (("stack", "../x", "2", "subnet-0a"), "error: NAME: `../x`"),
        (("stack", "study", "two", "subnet-0a"), "error: WORKERS: `two`"),
        (("stack", "study", "0", "subnet-0a"), "error: WORKERS: `0`"),
        (("stack", "study", "2", "0a,0b"), "error: SUBNET: `0a,0b`"),
    ],
)
def test_a_run_is_refused_before_anything_is_asked_of_aws(arguments, told):
    code, said = run_sh(*arguments)
    assert code == 1 and said.startswith(told)


def test_the_help_shows_an_example():
    assert run_sh("--help")[0] == 0 and "example: deploy/ecs/run.sh swarmledger study-1" in run_sh("--help")[1]


def units(folder: pathlib.Path) -> list[str]:
    """Copies whose programs are there, as `systemd-analyze verify` wants them."""
    names = []
    for path in sorted(EC2.glob("*.service")):
        name = path.name.replace("@.", "@1.")
        text = path.read_text(encoding="utf-8").replace("/opt/swarmledger/venv/bin/swarmledger-load", "/bin/true")
        (folder / name).write_text(text, encoding="utf-8")
        names.append(name)
    return names


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_reads_every_line_of_the_units(tmp_path):
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / name) for name in units(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    ours = [line for line in done.stderr.splitlines() if "swarmledger" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_user_data_reads_tags_by_imdsv2_alone():
    text = (EC2 / "user-data.sh").read_text(encoding="utf-8")
    assert text.count("169.254.169.254") == 2 and "X-aws-ec2-metadata-token-ttl-seconds" in text
    asked = set(re.findall(r"\$\(tag (\w+)\)", text))
    shown = set(re.findall(r"\{Key=(\w+),Value=", (EC2 / "README.md").read_text(encoding="utf-8")))
    assert asked == shown
