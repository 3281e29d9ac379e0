"""Scenarios: what is read, and the one line that each mistake gets."""

import datetime

import pydantic
import pytest
import yaml

from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.scenario import Scenario, find_file, load_scenario
from locustfiles.contract.scenario.target_prices import prices_of
from tests.helpers.scenario_text import BEDROCK, GOOD, SAGEMAKER, write


def test_defaults_are_those_that_the_documentation_names(tmp_path):
    scenario = load_scenario(write(tmp_path, GOOD))
    (target,) = scenario.targets
    assert (target.api, target.stream, target.parameters, target.family) == ("converse", False, {}, "llama")
    assert (scenario.load.users, scenario.load.settle_s, scenario.load.think_s, scenario.load.at_most_s) == (
        [1, 2],
        5.0,
        0.0,
        30.0,
    )
    assert (scenario.request_timeout_s, scenario.error_pause_s, scenario.seed, scenario.budget_usd) == (
        60.0,
        0.1,
        0,
        None,
    )
    assert Scenario.model_validate(scenario.model_dump(mode="json")) == scenario  # as the manifest keeps it


def test_a_range_of_levels_means_each(tmp_path):
    for written, levels in (("1..20", list(range(1, 21))), ("[1, 5..7, 10]", [1, 5, 6, 7, 10]), ("[3]", [3])):
        assert load_scenario(write(tmp_path, GOOD.replace("[1, 2]", written))).load.users == levels


MISTAKES = {
    # what is written -> by what: line and message
    "lod: {}\n": (None, 12, "lod: unknown key `lod`; did you mean `load`?"),
    "tokeniser": ("    model_id", 5, "targets[0].tokeniser: unknown key `tokeniser`; did you mean `tokenizer`?"),
    "zzz": ("    model_id", 5, "targets[0].zzz: unknown key `zzz`; remove it"),
    "users: [2, 1]": ("users: [1, 2]", 8, "load: `users` must ascend, each level once"),
    "users: [1, 1]": ("users: [1, 2]", 8, "load: `users` must ascend, each level once"),
    "users: []": ("users: [1, 2]", 9, "load.users: empty; name at least one"),
    "users: [0]": ("users: [1, 2]", 9, "load.users[0]: input should be greater than or equal to 1 (got 0)"),
    "users: [1.5]": ("users: [1, 2]", 9, "load.users[0]: input should be a valid integer (got 1.5)"),
    "users: many": (
        "users: [1, 2]",
        9,
        "load.users: must be a range such as 1..20 or a list such as [1, 5] (got 'many')",
    ),
    "users: 1..x": (
        "users: [1, 2]",
        9,
        "load.users: must be a range such as 1..20 or a list such as [1, 5] (got '1..x')",
    ),
    "users: 5..1": ("users: [1, 2]", 9, "load.users: empty; name at least one"),
    "measure_s: 0": ("measure_s: 30", 10, "load.measure_s: input should be greater than 0 (got 0)"),
    "measure_s: .nan": ("measure_s: 30", 10, "load.measure_s: input should be"),
    "measure_s: '30'": ("measure_s: 30", 10, "load.measure_s: input should be a valid number (got '30')"),
    "settle_s: 1": ("measure_s: 30", 8, "load: needs exactly one of `measure_s` and `until`"),
    "payloads: []": ("payloads: [p.jsonl]", 7, "payloads: empty; name at least one"),
    "payloads: [p.jsonl, q.jsonl, p.jsonl]": ("payloads: [p.jsonl]", 7, "payloads: `p.jsonl` stands twice; remove one"),
    "payloads: p.jsonl": ("payloads: [p.jsonl]", 7, "payloads: input should be a valid list (got 'p.jsonl')"),
    "name: a b": ("name: tried", 1, "name: string should match pattern"),
    "name: ../up": ("name: tried", 1, "name: string should match pattern"),
    "service: bedrok": (
        "service: bedrock",
        3,
        "targets[0]: `service:` must be 'sagemaker' or 'bedrock' or 'openai' (got 'bedrok')",
    ),
    "targets: []\n": (BEDROCK, 2, "targets: empty; name at least one"),
    "stream: true": ("service: bedrock", 3, "targets[0]: `service:` must be there"),
    "service: bedrock\n    api: converze": (
        "service: bedrock",
        5,
        "targets[0].api: input should be 'converse', 'invoke', 'rerank', 'count-tokens', 'apply-guardrail' or 'guardrail-checks' (got",
    ),
    "price: {input: 0.1}": ("    model_id", 5, "targets[0].price.output: missing; add `output:`"),
    "price: {usd_per_hour: 0}": ("    model_id", 5, "targets[0].price.usd_per_hour: input should be greater than 0"),
    "price: {usd_per_hour: 1, input: 1}": (
        "    model_id",
        5,
        "targets[0].price: a price is per hour or per token; keep `usd_per_hour:` or `input:`",
    ),
    "budget_usd: -1\n": (None, 12, "budget_usd: input should be greater than 0 (got -1)"),
    "parameters: {max_tokens: 0}": (
        "    model_id",
        3,
        "targets[0]: `parameters.max_tokens` must be a whole number of at least 1",
    ),
    "parameters: {max_tokens: true}": (
        "    model_id",
        3,
        "targets[0]: `parameters.max_tokens` must be a whole number of at least 1",
    ),
    "region: 2024-02-30": (
        "region: us-east-1",
        6,
        "not valid YAML: `2024-02-30` cannot be read (day is out of range for month)",
    ),
    "seed: 0b_\n": (None, 12, "not valid YAML: `0b_` cannot be read (invalid literal for int()"),
    "slo: {latency_s: {p80: 1}}\n": (
        None,
        12,
        "slo.latency_s: `p80` is no limit; a limit is on one of mean, p50, p90, p95, p99, p99.9",
    ),
    "slo: {error_rate: 2}\n": (None, 12, "slo.error_rate: input should be less than or equal to 1 (got 2)"),
    "name: tried\n": (None, 12, "not valid YAML: key `name` stands twice; check indentation and quotes"),
    "\tx: 1\n": (None, 12, "not valid YAML"),
}


def mistaken(written: str, place: str | None) -> str:
    if place is None:
        return GOOD + written
    if place == "    model_id":
        return GOOD.replace(place, f"    {written if ':' in written else written + ': 1'}\n{place}")
    if place == BEDROCK:
        return GOOD.replace("targets:\n" + BEDROCK, written)
    return GOOD.replace(place, written)


@pytest.mark.parametrize("written", MISTAKES)
def test_a_mistake_is_one_line_with_file_line_and_key(tmp_path, written):
    place, line, said = MISTAKES[written]
    path = write(tmp_path, mistaken(written, place))
    with pytest.raises(BadScenario) as e:
        load_scenario(path)
    message = str(e.value)
    assert "\n" not in message
    assert message.startswith(f"{path}:{line}: "), message
    assert said in message, message


def without(*keys: str) -> str:
    lines, skipping = [], False
    for line in GOOD.splitlines(keepends=True):
        skipping = line.startswith(tuple(f"{key}:" for key in keys)) or (skipping and line.startswith(" "))
        if not skipping:
            lines.append(line)
    return "".join(lines)


SHARES = """\
  - {name: s1, service: sagemaker, endpoint: e, dialect: tgi, price: {usd_per_hour: 2}, inference_component: one, instance_share: 0.75}
  - {name: s2, service: sagemaker, endpoint: e, dialect: tgi, price: {usd_per_hour: 2}, inference_component: two, instance_share: 0.5}
"""


@pytest.mark.parametrize("key", ["name", "targets", "payloads", "load"])
def test_a_missing_key_is_named(tmp_path, key):
    with pytest.raises(BadScenario, match=rf"s\.yaml:\d+: {key}: missing; add `{key}:`"):
        load_scenario(write(tmp_path, without(key)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (without("region"), "`region` is missing, which target `a` of service bedrock needs; add `region:`"),
        (
            GOOD.replace(BEDROCK, SHARES),
            "`instance_share` on endpoint `e` is 0.75 of `one` + 0.5 of `two` = 1.25, more than 1; mend one",
        ),
    ],
)
def test_what_targets_need_and_share_is_said(tmp_path, text, said):
    with pytest.raises(BadScenario) as refused:
        load_scenario(write(tmp_path, text))
    assert said in str(refused.value)


def test_a_component_that_two_targets_ask_shares_its_endpoint_once(tmp_path):
    """0.75 + 0.25 = 1, however often `one` is asked; another endpoint's share is apart."""
    fits = SHARES.replace("0.5", "0.25") + SHARES.split("\n", maxsplit=1)[0].replace("s1", "s3") + "\n"
    other = SHARES.split("\n")[1].replace("s2", "s4").replace("endpoint: e", "endpoint: f") + "\n"
    assert len(load_scenario(write(tmp_path, GOOD.replace(BEDROCK, fits + other))).targets) == 4


def test_a_server_of_ones_own_with_its_own_price_needs_neither_region_nor_price_book(tmp_path):
    text = yaml.safe_load(without("region", "pricing"))
    text["targets"] = [
        {
            "name": "t",
            "service": "openai",
            "base_url": "http://127.0.0.1:1/v1",
            "model_id": "m",
            "price": {"usd_per_hour": 1.0},
        }
    ]
    found = load_scenario(write(tmp_path, yaml.safe_dump(text)))
    assert (found.region, found.pricing) == (None, None)
    books, prices = prices_of(found, tmp_path / "s.yaml", datetime.date(2026, 11, 28))
    assert (books, prices["t"].price.usd_per_hour_in_all) == ([], 1.0)


ROUTE = "  - name: a\n    service: openai\n    base_url: http://10.0.0.7:8000/v1\n    model_id: m\n    api_key_env: MY_KEY\n"
SECRETS = {
    "a password": (
        "http://10.0.0.7:8000/v1",
        "https://user:hidden@h/v1",
        "base_url: no user, password, query or fragment in it",
    ),
    "a query": (
        "http://10.0.0.7:8000/v1",
        "https://h/v1?code=hidden",
        "base_url: no user, password, query or fragment in it",
    ),
    "no URL": ("http://10.0.0.7:8000/v1", "hidden", "base_url: must be an address such as http://10.0.0.7:8000/v1"),
    "the key": (
        "MY_KEY",
        "sk-proj-hidden",
        "api_key_env: must be the name of an environment variable, not the key itself",
    ),
    "of AWS": (
        "model_id: m",
        "endpoint_url: http://u:hidden@h\n    model_id: m",
        "endpoint_url: no user, password, query or fragment in it",
    ),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_a_scenario_is_refused_and_not_repeated(tmp_path, name):
    old, new, said = SECRETS[name]
    route = GOOD.replace(BEDROCK, ROUTE)
    assert load_scenario(write(tmp_path, route)).targets[0].api_key_env == "MY_KEY"
    with pytest.raises(BadScenario) as e:
        load_scenario(write(tmp_path, route.replace(old, new)))
    assert f": targets[0].{said}" in str(e.value) and "hidden" not in str(e.value)


def test_two_targets_of_one_name_are_refused(tmp_path):
    with pytest.raises(BadScenario, match="two targets are named `a`; give each its own name"):
        load_scenario(write(tmp_path, GOOD.replace(BEDROCK, BEDROCK + SAGEMAKER)))


def test_an_unknown_family_needs_its_dialect_for_invoke_alone(tmp_path):
    other = GOOD.replace("meta.llama3-8b-instruct-v1:0", "vendor.new-model-v1")
    load_scenario(write(tmp_path, other))  # Converse is the same for all
    with pytest.raises(BadScenario, match=r"the body of `vendor.new-model-v1` is not known; add `dialect:`"):
        load_scenario(write(tmp_path, other.replace("    service: bedrock", "    service: bedrock\n    api: invoke")))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory); check the path"),
        (b"", ":1: NoneType instead of `key: value` lines; write a key a line"),
        (b"- a\n", ":1: list instead of `key: value` lines; write a key a line"),
        (b"\xff\xfe", "cannot be read (it is not UTF-8 text); check the path"),
        (b"a: [1\n", "not valid YAML"),
        (b"? [1, 2]\n: x\n", ":1: not valid YAML: found unhashable key"),
        (b"? {a: 1}\n: x\n", ":1: not valid YAML: found unhashable key"),
    ],
)
def test_a_file_that_is_no_scenario_says_why(tmp_path, content, said):
    path = tmp_path / "s.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadScenario) as e:
        load_scenario(path)
    assert said in str(e.value) and "\n" not in str(e.value)


def test_a_file_is_looked_up_from_the_working_folder_then_beside_the_scenario_then_above_it(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "g").write_text("above")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert find_file("g", "../there/s.yaml").read_text() == "above"
    (tmp_path / "g").unlink()
    (tmp_path / "there" / "f").write_text("beside")
    monkeypatch.chdir(tmp_path)
    assert find_file("f", "there/s.yaml").read_text() == "beside"
    (tmp_path / "f").write_text("here")
    assert find_file("f", "there/s.yaml").read_text() == "here"
    with pytest.raises(BadScenario, match="there/s.yaml: file `g` not found; give its path from the working folder"):
        find_file("g", "there/s.yaml")


@pytest.mark.parametrize(
    ("target", "slo", "said"),
    [
        ({}, {}, "has no limit to keep; add latency_s, ttft_s or error_rate"),
        ({}, {"cost_per_10k_transactions_usd": 5.0}, "has no limit to keep"),
        ({"stream": False}, {"ttft_s": {"p95": 1.0}}, "has a limit on TTFT, but it does not stream"),
    ],
)
def test_a_search_needs_limits_that_it_can_decide(target, slo, said):
    one = {"name": "t", "service": "bedrock", "model_id": "m", "stream": True} | target
    load = {"find": {"up_to": 8}, "measure_s": 1}
    whole = {"name": "s", "targets": [one], "region": "r", "payloads": ["p"], "load": load, "slo": slo, "pricing": "b"}
    with pytest.raises(pydantic.ValidationError, match=said):
        Scenario.model_validate(whole)
    assert Scenario.model_validate(whole | {"slo": {"error_rate": 0.0}})
