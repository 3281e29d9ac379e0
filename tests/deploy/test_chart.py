"""The chart, rendered by Helm's own library: what is applied without Helm is the same, and every variant is what Kubernetes accepts."""

import json
import re
import tomllib

import helm_python
import kubernetes_validate
import pytest
import yaml

from locustfiles.contract.scenario.scenario import load_scenario
from tests.helpers.documents import ROOT

CHART, PLAIN = ROOT / "deploy/helm/swarmledger", ROOT / "deploy/kubernetes"
OLDEST, NEWEST = "1.31", kubernetes_validate.latest_version()
VARIANTS: dict[str, dict] = {
    "defaults": {},
    "s3": {"run": {"dir": "s3://bucket/study"}, "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn"}}},
    "web ui": {"webUi": {"enabled": True}, "run": {"confirmCost": True, "deadlineSeconds": 3600}},
    "metrics": {"metrics": {"enabled": True, "from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}]}},
    "files": {"scenario": {"files": {"scenario.yaml": "name: s\n\nload: {}\n", "p.jsonl": '{"prompt": "a: b"}\n'}}},
    "bare": {
        "networkPolicy": {"enabled": False}, "podDisruptionBudget": {"enabled": False}, "serviceAccount": {"create": False, "name": "ours"},
        "storage": {"claim": "ours"}, "image": {"tag": "sha256:" + "0" * 64, "pullSecrets": ["s"]},
    },
    "placed": {
        side: {"nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}], "extraArgs": ["--quiet"],
               "extraEnv": [{"name": "A", "value": "b"}]}
        for side in ("master", "workers")
    },
}  # fmt: skip


def rendered(values: dict, name: str = "swarmledger") -> list[dict]:
    with helm_python.Chart.load(str(CHART)) as chart:
        chart.validate_schema(values)
        files = chart.render(values, name=name, namespace="default")
    texts = [text for path, text in sorted(files.items()) if path.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def by_name(documents: list[dict]) -> dict[str, dict]:
    found = {f"{one['kind']} {one['metadata']['name']}": one for one in documents}
    assert len(found) == len(documents)
    return found


def plain(name: str) -> list[dict]:
    return [one for one in yaml.safe_load_all((PLAIN / name).read_text(encoding="utf-8")) if one]


def pod(name: str, **values) -> dict:
    return by_name(rendered(values))[f"Job swarmledger-{name}"]["spec"]["template"]["spec"]


def test_what_is_applied_without_helm_is_what_the_chart_renders():
    """deploy/kubernetes/render.sh writes it anew."""
    assert by_name(plain("swarmledger.yaml")) == by_name(rendered({}))


def test_chart_and_manifests_name_this_version_of_the_image():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["version"] == chart["appVersion"] == version
    texts = [path.read_text(encoding="utf-8") for path in sorted(PLAIN.glob("*.yaml"))]
    assert {tag for text in texts for tag in re.findall(r"(?:swarmledger:|newTag: )(\d[\w.]*)", text)} == {version}


def test_helm_finds_nothing_to_mend():
    told = helm_python.lint(str(CHART), strict=True)
    assert told["errors"] == []
    assert [one["error"] for one in told["messages"] if one["severity"] > 1] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_kubernetes_accepts_every_variant(variant):
    for document in rendered(VARIANTS[variant]):
        kubernetes_validate.validate(document, OLDEST if variant == "defaults" else NEWEST, strict=True)


def test_kubernetes_accepts_the_other_files():
    for document in plain("namespace.yaml") + plain("fetch.yaml"):
        kubernetes_validate.validate(document, NEWEST, strict=True)


def test_the_validator_finds_a_misspelt_field():
    [claim] = [one for one in rendered({}) if one["kind"] == "PersistentVolumeClaim"]
    claim["spec"]["accesModes"] = claim["spec"].pop("accessModes")
    with pytest.raises(kubernetes_validate.ValidationError, match="accesModes"):
        kubernetes_validate.validate(claim, NEWEST, strict=True)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"worker": {"count": 4}}, "worker"),
        ({"workers": {"count": 0}}, "/workers/count"),
        ({"workers": {"count": "4"}}, "/workers/count"),
        ({"run": {"dir": "runs/study"}}, "/run/dir"),
        ({"run": {"dir": "/tmp/study"}}, "/run/dir"),
        ({"run": {"graceSeconds": 5}}, "/run/graceSeconds"),
        ({"scenario": {"file": "../scenario.yaml"}}, "/scenario/file"),
        ({"image": {"pullPolicy": "always"}}, "/image/pullPolicy"),
        ({"workers": {"extraEnv": [{"name": "AWS_SECRET_ACCESS_KEY", "value": "s"}]}}, "/workers/extraEnv/0/name"),
        ({"aws": {"region": "Frankfurt"}}, "/aws/region"),
    ],
)
def test_values_that_mean_nothing_are_refused(values, told):
    with pytest.raises(helm_python.HelmValuesError, match=told):
        rendered(values)


@pytest.mark.parametrize(
    ("values", "name", "told"),
    [
        ({}, "s" * 41, "more than 40 characters; take a shorter one"),
        ({"scenario": {"files": {"a.yaml": "x"}}}, "s", "scenario.files has no `scenario.yaml`"),
    ],
)
def test_what_no_schema_sees_is_refused_with_a_remedy(values, name, told):
    with pytest.raises(helm_python.HelmRenderError, match=told):
        rendered(values, name)


def test_files_of_a_scenario_are_what_was_given():
    given = VARIANTS["files"]["scenario"]["files"]
    assert by_name(rendered(VARIANTS["files"]))["ConfigMap swarmledger-scenario"]["data"] == given
    assert json.loads(given["p.jsonl"])


@pytest.mark.parametrize("side", ["master", "workers"])
def test_a_pod_asks_for_nothing_that_the_restricted_standard_refuses(side):
    spec = pod(side)
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"] == {
        "type": "RuntimeDefault"
    }
    [container] = spec["containers"]
    own = container["securityContext"]
    assert (own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"]) == (False, True)
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert not spec["automountServiceAccountToken"]
    assert {"hostNetwork", "hostPID", "hostIPC"} & set(spec) == set()


def test_grace_is_the_same_for_the_platform_and_the_run():
    for side in ("master", "workers"):
        spec = pod(side, run={"graceSeconds": 90})
        [grace] = [one["value"] for one in spec["containers"][0]["env"] if one["name"] == "SWARMLEDGER_GRACE_S"]
        assert spec["terminationGracePeriodSeconds"] == int(grace) == 90


def test_only_workers_of_the_release_reach_the_master_and_nobody_a_worker():
    policies = by_name(rendered({"webUi": {"enabled": True}, "metrics": {"enabled": True}}, "one"))
    master, workers = (policies[f"NetworkPolicy one-{side}"]["spec"] for side in ("master", "workers"))
    labels = {"app.kubernetes.io/name": "swarmledger", "app.kubernetes.io/instance": "one"}
    labels["app.kubernetes.io/component"] = "worker"
    assert master["ingress"] == [
        {"from": [{"podSelector": {"matchLabels": labels}}], "ports": [{"port": 5557, "protocol": "TCP"}]}
    ]
    assert workers["ingress"] == [] and "Ingress" in workers["policyTypes"]


def test_no_secret_is_in_a_manifest():
    for variant in VARIANTS.values():
        assert [one["kind"] for one in rendered(variant) if one["kind"] == "Secret"] == []


def test_the_example_scenario_is_one(tmp_path):
    text = (PLAIN / "scenario.yaml").read_text(encoding="utf-8").replace("/app/", f"{ROOT}/")
    (tmp_path / "scenario.yaml").write_text(text, encoding="utf-8")
    scenario = load_scenario(tmp_path / "scenario.yaml")
    assert scenario.request_timeout_s + 30 <= yaml.safe_load((CHART / "values.yaml").read_text())["run"]["graceSeconds"]
