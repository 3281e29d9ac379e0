"""Scenarios that are nested without end, expand without end, hold keys or line breaks: one line, at once."""

import pytest

from locustfiles.common.transport.header_lines import UnsafeHeader, check
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.scenario import load_scenario

GOOD = """name: s
region: us-east-1
payloads: [p]
load: {users: [1], measure_s: 1}
pricing: b
targets:
- {name: t, service: sagemaker, endpoint: e, dialect: tgi, instance_type: ml.x%s}
"""
LAUGHS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
BAD = {
    "flow": ("a: " + "[" * 100_000, "nested more than 50 deep"),
    "block": ("\n".join(" " * n + "a:" for n in range(2000)), "nested more than 50 deep"),
    "aliases": (LAUGHS, "aliases included"),
    "itself": ("a: &a {b: *a}\n", "inside its own anchor"),
    "size": ("a: " + "x" * 5 * 2**20, "larger than 4 MiB"),
    "a key": (GOOD % ", labels: {k: AKIAIOSFODNN7EXAMPLE}", ":7: k: holds what looks like an AWS access key"),
    "a key by name": (GOOD % ", parameters: {a: {api_key: abcdefgh}}", "api_key: holds what looks like a key"),
    "unknown": (
        GOOD % "" + "foo: 1\nbudgte_usd: 2\n",
        "unknown keys: `foo` in line 8, `budgte_usd` in line 9 (did you mean",
    ),
}


def refused(tmp_path, text: str) -> str:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(BadScenario) as e:
        load_scenario(tmp_path / "s.yaml")
    return str(e.value)


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_in_one_line(tmp_path, name):
    text, said = BAD[name]
    message = refused(tmp_path, text)
    assert said in message and "\n" not in message and len(message) < 600
    assert "AKIA" not in message and "abcdefgh" not in message


@pytest.mark.parametrize(
    "key",
    [
        "custom_attributes",
        "inference_component",
        "variant",
        "target_model",
        "target_container",
        "prefix_aware_id",
        "inference_id",
        "session_id",
        "model",
    ],
)
@pytest.mark.parametrize("value", ["a\\r\\nX-Y: z", "a\\nb", "a\\0b"])
def test_a_line_break_in_what_becomes_a_header_is_refused(tmp_path, key, value):
    assert f"targets[0].{key}: no line breaks" in refused(tmp_path, GOOD % f', {key}: "{value}"')


def test_a_good_one_with_aliases_is_read(tmp_path):
    (tmp_path / "s.yaml").write_text(GOOD.replace("[p]", "&p [p]") % ', payloads: *p, system: &s "two\\nlines"')
    assert load_scenario(tmp_path / "s.yaml").targets[0].payloads == ["p"]


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\x00", b"a\r\nb"])
def test_no_header_of_two_lines_is_written(value):
    with pytest.raises(UnsafeHeader) as e:
        check({"Authorization": value})
    assert "Authorization" in str(e.value) and "X: y" not in str(e.value)
    check({"Authorization": "Bearer k", "X-A": "t\u00e4glich"})
