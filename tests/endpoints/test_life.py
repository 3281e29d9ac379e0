"""An endpoint's life by the commands: deployed, told, listed, deleted; and what is done where something goes wrong."""

import json
import os
import pathlib
import re
import sys

import pytest

from locustfiles.contract import endpoint_file
from scripts.endpoints.__main__ import main
from scripts.endpoints.control import Control
from tests.helpers.control_plane import SPEC, running_plane, there, written
from tests.helpers.documents import ROOT, table

README = ROOT / "scripts/endpoints/README.md"
TOKEN = "hf_nobodyknowsthistoken12345"
NO_HEALTH = "The primary container for production variant AllTraffic did not pass the ping health check. Please check CloudWatch logs for this endpoint."


@pytest.fixture(scope="module")
def plane():
    settings = {
        "quotas": {"ml.p5.48xlarge": 0},
        "failures": {"no-health": NO_HEALTH, "bad-part": "Insufficient memory"},
    }
    with running_plane(**settings) as e:
        yield e


def endpoints(*arguments: str) -> int:
    pace = () if arguments[0] == "list" else ("--every", "0.1")
    return main([arguments[0], *pace, *arguments[1:]])


def journals(folder: pathlib.Path) -> list[str]:
    return [path.name for path in (folder / "journals").glob("*")]


def test_an_endpoint_is_deployed_listed_waited_for_and_deleted(user, client, capsys, monkeypatch):
    assert endpoints("deploy", written(user)) == 0
    said = capsys.readouterr().err
    # ml.g5.2xlarge is $1.515 an hour in configs/pricing/us-east-1.yaml; four hours are $6.06
    assert "1 x ml.g5.2xlarge: $1.515/hour, $6.06 until it expires" in said
    assert "endpoint chat: InService" in said
    assert client.describe_endpoint(EndpointName="chat")["EndpointStatus"] == "InService" and len(journals(user)) == 1
    assert endpoints("wait", "chat") == 0
    assert endpoints("list", "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["endpoint"], row["status"], row["instances"], row["owner"]) == (
        "chat",
        "InService",
        "1 x ml.g5.2xlarge",
        "ada",
    )
    assert (
        row["usd_per_hour"] == 1.515
        and row["usd_so_far"] == pytest.approx(1.515 * row["age_s"] / 3600)
        and not row["expired"]
    )
    endpoints("list")
    assert capsys.readouterr().out.startswith("endpoint  status     age")
    monkeypatch.delenv("AWS_DEFAULT_REGION")  # the journal knows it
    assert endpoints("delete", "chat") == 0
    assert there(client) == [] and journals(user) == []
    assert endpoints("delete", written(user)) == 0  # again, and by its spec
    assert "nothing of it is there" in capsys.readouterr().err


def test_components_come_after_their_endpoint_and_go_before_it(user, client, capsys):
    parts = [{"name": "one", "accelerators": 1, "copies": 2}, {"name": "two", "model": {"image": "b"}}]
    assert endpoints("deploy", written(user, name="parts", components=parts)) == 0
    assert len(client.list_inference_components()["InferenceComponents"]) == 2
    assert endpoints("delete", "parts") == 0
    said = capsys.readouterr().err
    order = [
        "inference component one: created",
        "inference component two: InService",
        "component one: deleted",
        "endpoint parts: deleted",
    ]
    places = [said.index(text) for text in order]
    assert places == sorted(places) and there(client) == []


FAILS = {
    "no-health": ({}, 1, "the container did not become ready: see its log in CloudWatch, /aws/sagemaker/Endpoints/no-health"),
    "quota": ({"instance_type": "ml.p5.48xlarge"}, 1, "ResourceLimitExceeded: The account-level service limit"),
    "parts-2": ({"components": [{"name": "fine"}, {"name": "bad-part"}]}, 1, "inference component bad-part: Failed: Insufficient memory; its instances have no room"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILS)
def test_what_fails_half_way_is_told_and_deleted(name, user, client, capsys):
    keys, code, said = FAILS[name]
    assert endpoints("deploy", written(user, name=name, **keys)) == code
    err = capsys.readouterr().err
    last = err.splitlines()[-1]
    assert last.startswith("error: ") and said in last and "; " in last
    assert there(client) == [] and journals(user) == []


def test_a_foreign_endpoint_is_neither_replaced_nor_deleted(user, client, capsys):
    client.create_model(ModelName="m", PrimaryContainer={"Image": "a"}, ExecutionRoleArn=SPEC["role"])
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    client.create_endpoint(EndpointName="theirs", EndpointConfigName="c")
    before = there(client)
    assert endpoints("deploy", written(user, name="theirs")) == 1
    assert "there is one of this name already" in capsys.readouterr().err
    assert endpoints("delete", "theirs") == 1
    assert "was not created by this command" in capsys.readouterr().err
    assert endpoints("sweep-orphans", "--yes") == 0 and there(client) == before
    assert "theirs" not in capsys.readouterr().out
    endpoints("list", "--all")
    assert "theirs" in capsys.readouterr().out
    for _ in range(2):  # as soon as it is no longer Creating
        main(["wait", "theirs", "--every", "0.02"])
    client.delete_endpoint(EndpointName="theirs")
    client.delete_endpoint_config(EndpointConfigName="c")
    client.delete_model(ModelName="m")


def test_what_has_expired_is_swept_and_what_has_not_stays(user, client, capsys):
    endpoints("deploy", written(user, name="old"))
    endpoints("deploy", written(user, name="new"))
    for each in client.list_endpoints()["Endpoints"]:
        if each["EndpointName"] == "old":
            past = [{"Key": "swarmledger:expires-at", "Value": "2026-01-01T00:00:00Z"}]
            client.add_tags(ResourceArn=each["EndpointArn"], Tags=past)
    for kind, key in (("Models", "Model"), ("EndpointConfigs", "EndpointConfig")):
        rows = client.list_models()[kind] if key == "Model" else client.list_endpoint_configs()[kind]
        for row in rows:
            if row[f"{key}Name"].startswith("old"):
                client.add_tags(ResourceArn=row[f"{key}Arn"], Tags=past)
    capsys.readouterr()
    assert endpoints("sweep-orphans", "--dry-run") == 0
    out = capsys.readouterr().out
    assert (
        "old (run " in out
        and "expired 2026-01-01T00:00:00Z" in out
        and "new (run" not in out
        and len(there(client)) == 6
    )
    assert endpoints("sweep-orphans") == 1  # nobody is there to be asked
    assert "give --yes" in capsys.readouterr().err
    assert endpoints("sweep-orphans", "--yes") == 0
    assert all(name.startswith("new") for name in there(client)) and len(there(client)) == 3 == 3 * len(journals(user))
    assert endpoints("delete", "new") == 0 and there(client) == []


def test_a_run_has_its_endpoint_and_keeps_its_exit_code(user, client, capsys):
    folder = user / "run"
    folder.mkdir()
    code = (
        "import boto3, sys\n"
        'body = b\'{"inputs": "Hi", "parameters": {"max_new_tokens": 2}}\'\n'
        "print(boto3.client('sagemaker-runtime').invoke_endpoint(EndpointName='chat', Body=body)['InvokedProductionVariant'])\n"
        "sys.exit(3)"
    )
    command = ["--", sys.executable, "-c", code, "--run-dir", str(folder)]
    assert main(["run", "--every", "0.02", written(user), *command]) == 3
    said = capsys.readouterr().err
    assert there(client) == [] and journals(user) == []
    [life] = endpoint_file.read(folder)
    assert life.usd_per_hour == 1.515 and life.usd == pytest.approx(1.515 * life.hours) and life.hours > 0
    assert (
        life.created_at <= life.in_service_at <= life.began_at <= life.ended_at <= life.deleted_at and life.left == []
    )
    assert "from creation to deletion" in said and "of the run), 1 x ml.g5.2xlarge at" in said
    assert (
        main(["--with", written(user), "--every", "0.02", *command]) == 3
    )  # a second part, by the other way to say it
    assert len(endpoint_file.read(folder)) == 2
    (folder / "manifest.json").write_text("{}")
    os.utime(folder / "manifest.json", (1e9, 1e9))  # of a run that was there before, which the command leaves alone
    assert main(["run", "--every", "0.02", written(user), *command]) == 3
    assert len(endpoint_file.read(folder)) == 2 and "did not go on with" in capsys.readouterr().err


def test_the_readme_lists_the_actions_that_each_command_calls_and_no_other(user, monkeypatch):
    called: set[str] = set()
    call = Control.call

    def noted(self, operation, **parameters):
        called.add(operation)
        return call(self, operation, **parameters)

    def of(*commands: list[str]) -> set[str]:
        called.clear()
        for command in commands:
            endpoints(*command)
        return set(called)

    monkeypatch.setattr(Control, "call", noted)
    fails = written(user, name="fails", components=[{"name": "well"}, {"name": "bad-part"}])
    spec = written(user, name="listed", components=[{"name": "one"}])
    found = {
        "`deploy`, `run`": of(["deploy", fails], ["deploy", spec]),
        "`wait`": of(["wait", "listed"]),
        "`list`": of(["list"]),
        "`delete`, `sweep-orphans`": of(["sweep-orphans", "--dry-run"], ["delete", "listed"]),
    }
    told = {
        row[0]: set(re.findall(r"\b(?:Create|Describe|List|Delete)\w+", row[1]))
        for row in table(README, "Permissions", "command")
    }
    assert told == found


def test_a_command_that_is_not_there_creates_nothing(user, client, capsys):
    assert main(["run", written(user), "--", "no-such-command"]) == 1
    assert "there is no such command" in capsys.readouterr().err and there(client) == []
    assert main(["run", written(user)]) == 1
    assert "no command; write it behind two dashes" in capsys.readouterr().err


def test_secrets_are_nowhere(user, client, capsys, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", TOKEN)
    model = SPEC["model"] | {"env_from": {"HF_TOKEN": "MY_TOKEN"}}
    assert endpoints("deploy", written(user, model=model), "--dry-run") == 0
    assert endpoints("deploy", written(user, model=model)) == 0
    assert (
        client.describe_model(ModelName=client.list_models()["Models"][0]["ModelName"])["PrimaryContainer"][
            "Environment"
        ]["HF_TOKEN"]
        == TOKEN
    )
    noted = "".join(path.read_text() for path in (user / "journals").glob("*"))
    assert endpoints("delete", "chat") == 0
    said = capsys.readouterr()
    assert TOKEN not in noted + said.out + said.err and "create" in noted


def test_a_component_of_somebody_elses_keeps_its_endpoint_and_is_named(user, client, capsys, monkeypatch):
    assert endpoints("deploy", written(user, name="shared", components=[{"name": "ours"}])) == 0
    needs = {
        "ModelName": client.list_models()["Models"][0]["ModelName"],
        "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024},
    }
    client.create_inference_component(
        InferenceComponentName="theirs",
        EndpointName="shared",
        VariantName="AllTraffic",
        Specification=needs,
        RuntimeConfig={"CopyCount": 1},
    )
    monkeypatch.setattr("scripts.endpoints.deletion.LAG_S", 0.2)
    assert endpoints("delete", "shared") == 1
    said = capsys.readouterr().err
    assert "endpoint shared: not deleted: Cannot delete endpoint with inference component associated" in said
    assert "not deleted and goes on costing; see above" in said and len(journals(user)) == 1
    client.delete_inference_component(InferenceComponentName="theirs")
    assert endpoints("delete", "shared") == 0 and there(client) == [] and journals(user) == []
