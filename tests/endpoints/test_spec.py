"""Specs: what becomes of them, and what is said of those that are wrong, before anything is sent."""

import datetime
import json

import pytest
import yaml

from locustfiles.contract.bad_input import BadInput
from scripts.endpoints import spec as specs
from scripts.endpoints.deployment import plan
from scripts.endpoints.names import marked
from scripts.endpoints.shown import shown
from tests.helpers.control_plane import ROLE, SPEC, written
from tests.helpers.documents import ROOT, blocks
from tests.helpers.key_tables import check_keys

README = ROOT / "scripts/endpoints/README.md"
MODELS = {
    "Spec": specs.Spec,
    "Model": specs.Model,
    "Data": specs.Data,
    "Variants": specs.Variant,
    "Components": specs.Component,
    "Timeouts": specs.Timeouts,
}


def bodies(path: str) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for request in plan(path).requests:
        found.setdefault(request.operation, []).append(request.body)
    return found


def test_a_spec_becomes_a_model_a_configuration_and_an_endpoint(tmp_path):
    found = bodies(written(tmp_path, timeouts={"health_check_s": 900}, tags={"team": "search"}, expires_after="90m"))
    [model], [config], [endpoint] = found["CreateModel"], found["CreateEndpointConfig"], found["CreateEndpoint"]
    container = {"Image": SPEC["model"]["image"], "Environment": {"HF_MODEL_ID": "/opt/ml/model"}}
    assert (model["PrimaryContainer"], model["ExecutionRoleArn"]) == (container, ROLE)
    assert config["ProductionVariants"] == [
        {"VariantName": "AllTraffic", "InitialVariantWeight": 1.0, "InstanceType": "ml.g5.2xlarge", "InitialInstanceCount": 1,
         "ModelName": model["ModelName"], "ContainerStartupHealthCheckTimeoutInSeconds": 900}
    ]  # fmt: skip
    assert endpoint["EndpointName"] == "chat" and endpoint["EndpointConfigName"] == config["EndpointConfigName"]
    tags = {tag["Key"]: tag["Value"] for tag in endpoint["Tags"]}
    assert (
        tags
        == {tag["Key"]: tag["Value"] for tag in model["Tags"]}
        == {tag["Key"]: tag["Value"] for tag in config["Tags"]}
    )
    left = datetime.datetime.fromisoformat(tags["swarmledger:expires-at"]) - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=89) < left <= datetime.timedelta(minutes=90)
    assert tags["team"] == "search" and tags["swarmledger:owner"] == "ada" and tags["swarmledger:endpoint"] == "chat"
    assert model["ModelName"] == f"chat-swarmledger-{tags['swarmledger:run']}"


def test_variants_have_models_of_their_own_or_the_endpoints(tmp_path):
    variants = [{"name": "a", "weight": 3}, {"name": "b", "instance_type": "ml.g6.2xlarge", "model": {"package": "p"}}]
    found = bodies(written(tmp_path, variants=variants))
    assert [m["PrimaryContainer"].get("ModelPackageName") for m in found["CreateModel"]] == [None, "p"]
    [a, b] = found["CreateEndpointConfig"][0]["ProductionVariants"]
    assert (a["InstanceType"], b["InstanceType"]) == ("ml.g5.2xlarge", "ml.g6.2xlarge")
    assert a["ModelName"] != b["ModelName"] and a["InitialVariantWeight"] == 3


def test_components_bring_their_models_and_the_variant_has_none(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_nobodyknowsthistoken12345")
    found = bodies(str(ROOT / "configs/endpoints/two-models.yaml"))
    [config] = found["CreateEndpointConfig"]
    assert "ModelName" not in config["ProductionVariants"][0] and config["ExecutionRoleArn"] == ROLE
    chat = found["CreateInferenceComponent"][0]
    assert (
        chat["RuntimeConfig"] == {"CopyCount": 2}
        and chat["Specification"]["ModelName"] == found["CreateModel"][0]["ModelName"]
    )
    assert chat["Specification"]["ComputeResourceRequirements"] == {
        "MinMemoryRequiredInMb": 24576,
        "NumberOfAcceleratorDevicesRequired": 1,
    }


def test_every_shipped_spec_is_one(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_nobodyknowsthistoken12345")
    paths = sorted((ROOT / "configs/endpoints").glob("*.yaml"))
    assert [plan(str(path)).spec.name for path in paths] == [path.stem for path in paths] and paths


def test_a_secret_is_sent_and_never_shown(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", "hf_nobodyknowsthistoken12345")
    planned = plan(written(tmp_path, model=SPEC["model"] | {"env_from": {"HF_TOKEN": "MY_TOKEN"}}))
    assert planned.requests[0].body["PrimaryContainer"]["Environment"]["HF_TOKEN"] == "hf_nobodyknowsthistoken12345"
    assert "nobodyknows" not in shown(planned) and json.loads(shown(planned))


WRONG = {
    "a wrong key": ({"instnce_type": "ml.g5.xlarge"}, "unknown key `instnce_type`; did you mean `instance_type`?"),
    "no model": ({"model": None}, "no `model:` for the endpoint; add it there or at the top"),
    "both sources": ({"model": {"image": "a", "package": "b"}}, "a model is an `image:` or a `package:`; give one of them"),
    "a span": ({"expires_after": "soon"}, "`soon` is no span of time"),
    "a secret": ({"model": SPEC["model"] | {"env": {"HF_TOKEN": "hf_abcdefghijklmnopqrstuvwx"}}}, "write `env_from: {NAME: VARIABLE}`"),
    "a variable": ({"model": SPEC["model"] | {"env_from": {"A": "NOT_SET_HERE"}}}, "env_from.A: $NOT_SET_HERE is not set; export it"),
    "a type": ({"instance_type": "ml.g5.3xlarge"}, "`ml.g5.3xlarge` is none that AWS has; of its kind there are ml.g5.12xlarge, ml.g5.16xlarge"),
    "AWS's member": ({"model": SPEC["model"] | {"more": {"VpcConfg": {}}}}, "CreateModel: AWS knows no `VpcConfg`; did you mean `VpcConfig`?"),
    "AWS's value": ({"more": {"RoutingConfig": {"RoutingStrategy": "ROUND_ROBIN"}}}, "ProductionVariants[0].RoutingConfig.RoutingStrategy: `ROUND_ROBIN` is none that AWS has; one of LEAST"),
    "AWS's range": ({"timeouts": {"download_s": 7200}}, "ModelDataDownloadTimeoutInSeconds: 7200 is out of range; AWS takes 60 to 3600"),
    "a name": ({"name": "a_b"}, "name: "),
    "an owner": ({"owner": "Ada <ada>"}, "Tags[0].Value: it does not have the form that AWS takes"),
    "two of a name": ({"variants": [{"name": "a"}, {"name": "a"}]}, "`a` is the name of two; rename one"),
    "a tag of ours": ({"tags": {"swarmledger:run": "x"}}, "tag `swarmledger:run` begins with a name that is taken"),
    "a model in both": ({"components": [{"name": "c"}], "variants": [{"name": "v", "model": {"image": "a"}}]}, "these have it; move it there"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_a_line_with_its_remedy(case, tmp_path):
    keys, said = WRONG[case]
    with pytest.raises(BadInput) as e:
        plan(written(tmp_path, **keys))
    text = str(e.value)
    assert said in text and "\n" not in text and text.startswith(str(tmp_path)) and "; " in text
    assert "hf_abc" not in text


def test_names_fit_and_are_found_by_their_mark():
    assert marked("chat", "0123abcd") == "chat-swarmledger-0123abcd"
    assert len(marked("x" * 63, "0123abcd", 12)) == 63 and marked("x" * 63, "0123abcd", 12).endswith(
        "-swarmledger-0123abcd-12"
    )


@pytest.mark.parametrize("heading", MODELS)
def test_a_table_has_every_key_with_its_default_and_no_other(heading):
    check_keys(README, heading, MODELS[heading], bases=(specs.Instances,) if heading == "Variants" else ())


def test_the_readmes_spec_is_one(tmp_path):
    [text] = blocks(README, "yaml")
    (tmp_path / "chat.yaml").write_text(text)
    assert plan(str(tmp_path / "chat.yaml")).spec.name == yaml.safe_load(text)["name"]
