"""The command against the local endpoint over HTTP: both sides of the same minutes, quotas, and all that may be missing."""

import csv
import dataclasses

import jsonschema
import pytest

from analysis.enrich import schema
from tests.helpers.emulator_process import running_emulator
from tests.helpers.enriching import HAIKU, figure, requests, run_of, shifted, spread

TPM = "Cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5"
DECOYS = ("On-demand model inference tokens per minute for Anthropic Claude Haiku 4.5", TPM.replace("4.5", "5.5"))
QUOTAS = [
    {"service": "bedrock", "name": name, "value": value} for name, value in ((TPM, 2000.0), *((d, 1.0) for d in DECOYS))
]


def figures_of_two_minutes() -> list[dict]:
    """Minutes 0 and 1, of 4 requests of 900 ms and 6 of 800 ms; the busiest minute takes 1,900 tokens a minute of the quota."""
    minutes = {0: [900.0] * 4, 1: [800.0] * 6}
    found = [figure("InvocationLatency", m, values) for m, values in minutes.items()]
    found += [figure("Invocations", m, [1.0] * len(values)) for m, values in minutes.items()]
    found += [figure("InputTokenCount", m, [10.0] * len(values)) for m, values in minutes.items()]
    found += [figure("OutputTokenCount", m, [6.0] * len(values)) for m, values in minutes.items()]
    found += [figure("InvocationThrottles", 1, [1.0, 1.0, 1.0])]
    return [*found, figure("EstimatedTPMQuotaUsage", 0, [700.0]), figure("EstimatedTPMQuotaUsage", 1, [950.0, 950.0])]


def ten_requests() -> list:
    """Sent every twelve seconds from 0 on, of 1 s each: five end in minute 0, five in minute 1; and three that were throttled."""
    base = requests(1, 0, 1, 1, 1.0)[0]
    sent = spread(base, 10)
    refused = {"error": "throttled", "error_code": "ThrottlingException", "http_status": 400, "latency_ms": 10.0,
               "prompt_tokens": None, "completion_tokens": None}  # fmt: skip
    return sent + [dataclasses.replace(base, started_at=base.started_at + 70 + i, **refused) for i in range(3)]


@pytest.fixture(scope="module")
def endpoint():
    config = {
        "engines": {},
        "pricing": {},
        "region": "us-east-1",
        "cloudwatch": {"figures": figures_of_two_minutes(), "page_size": 7},
    }
    with running_emulator(config | {"service_quotas": {"quotas": QUOTAS, "page_size": 2}}) as e:
        yield e


def test_both_sides_of_the_same_minutes_stand_in_the_folder(endpoint, tmp_path, ask):
    folder = run_of(tmp_path / "r", ten_requests(), [shifted(1, 0, 120)])
    code, said, told = ask(folder, endpoint.url)
    assert code == 0, said
    jsonschema.validate(told, schema.schema())
    (row,) = told["stages"]
    assert (row["basis"], row["periods"], row["from_s"], row["until_s"]) == ("inside", 2, 5.0, 125.0)
    # the service's mean (4 × 900 + 6 × 800) / 10 = 840 ms, the client's 1000; p50 between the minutes' 800 and 900
    assert (row["client_latency_mean_ms"], row["service_latency_mean_ms"]) == pytest.approx((1000.0, 840.0))
    assert row["network_queue_ms"] == pytest.approx(160.0)
    assert (row["service_p50_low_ms"], row["service_p50_high_ms"]) == (800.0, 900.0)
    # ten requests of 10 and 5 tokens against 10 × 10 and 10 × 6
    assert (row["client_requests"], row["client_successes"], row["service_requests"]) == (13, 10, 10)
    assert (row["prompt_tokens_more"], row["completion_tokens_more"]) == (0, 10)
    assert (row["client_throttled"], row["service_throttles"], row["throttles_more"]) == (3, 3, 0)
    assert (row["service_client_errors"], row["service_cache_read_tokens"]) == (0, None)
    assert (row["tokens_quota"], row["tokens_per_minute_peak"], row["tokens_quota_share"]) == (TPM, 1900.0, 0.95)
    assert row["gpu_share"] is None and row["missing"] is None and told["missing"] == []
    with open(folder / "service.csv", newline="") as file:
        (line,) = csv.DictReader(file)
    assert list(line) == list(row) and line["network_queue_ms"] == "160.0" and line["gpu_share"] == ""
    assert said[0].startswith(
        "stage 1, haiku, 1 user: 2 periods inside; mean latency of the client 1.00 s, of the service 0.840 s, between"
    )
    assert said[1] == "CloudWatch was asked for 24 metrics ($0.0002)"


def test_a_model_that_cloudwatch_does_not_know_is_named_with_those_it_does(endpoint, tmp_path, ask):
    other = HAIKU | {"model_id": "amazon.nova-lite-v1:0"}
    folder = run_of(tmp_path / "r", ten_requests(), [shifted(1, 0, 120)], [other])
    code, _, told = ask(folder, endpoint.url)
    assert code == 0 and told["missing"] == [
        "target `haiku`: CloudWatch has no AWS/Bedrock metric of ModelId amazon.nova-lite-v1:0; it has "
        "us.anthropic.claude-haiku-4-5-20251001-v1:0: check --region and the account",
        "target `haiku`: no quota listed for Bedrock has the name of `amazon.nova-lite-v1:0`; give its code with --quota-code",
    ]
    (row,) = told["stages"]
    assert row["missing"] == "CloudWatch has no figure of its 2 periods of 60 s"
    assert row["service_requests"] is row["service_throttles"] is row["client_requests"] is None


def test_without_permissions_the_missing_actions_are_named_and_the_run_goes_on(tmp_path, ask):
    folder = run_of(tmp_path / "r", ten_requests(), [shifted(1, 0, 120)])
    refusing = {"faults": {"access_denied": 1}}
    with running_emulator({"engines": {}, "pricing": {}, "cloudwatch": refusing, "service_quotas": refusing}) as e:
        code, said, told = ask(folder, e.url)
    assert code == 0 and told["missing"] == [
        f"{action}: not allowed; allow this action to whom the credentials belong, and run it again"
        for action in ("cloudwatch:GetMetricData", "servicequotas:ListServiceQuotas")
    ]
    assert [f"missing: {line}" for line in told["missing"]] == said[1:3]
    assert told["stages"][0]["missing"] == "CloudWatch could not be asked"


MISSING = {
    "no credentials": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, (), "set AWS_PROFILE"),
    "unknown keys": ({"AWS_ACCESS_KEY_ID": "AKIAXXXXXXXXXXXXXXXX"}, (), "AWS does not take the credentials"),
    "another region": ({}, ("--region", "eu-west-1"), "AWS"),
    "nobody there": ({"AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:9"}, (), "check --region, the network and AWS_ENDPOINT_URL_CLOUDWATCH"),
    "no address": ({"AWS_ENDPOINT_URL_CLOUDWATCH": "nowhere"}, (), "check AWS_ENDPOINT_URL_CLOUDWATCH"),
    "no such profile": ({"AWS_PROFILE": "gone"}, (), "set AWS_PROFILE"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISSING)
def test_what_keeps_aws_from_answering_is_a_line_with_a_remedy(endpoint, tmp_path, case, ask):
    variables, arguments, remedy = MISSING[case]
    folder = run_of(tmp_path / "r", ten_requests(), [shifted(1, 0, 120)])
    code, _, told = ask(folder, endpoint.url, *arguments, **variables)
    assert code == 0 and told["missing"][0].startswith("cloudwatch:GetMetricData: ") and remedy in told["missing"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--period", "7"], "--period 7: an endpoint publishes every 10, 30 or 60 s; give one of these"),
        (["--account", "12"], "--account 12: not the twelve digits of an account; mend it"),
        (["--select", "a=b"], "--select: belongs to --prometheus; give the server's address, too"),
        (["--quota-code", "haiku=L-1"], "--quota-code haiku=L-1: not TARGET=CODE; write it as haiku=L-1234ABCD"),
        (["--quota-code", "x=L-1234ABCD"], "--quota-code x=L-1234ABCD: no target `x` in the run; give one of haiku"),
        (["--prometheus", "here"], "--prometheus here: no address of a server; give it as http://127.0.0.1:9090"),
        (["--prometheus", "http://h", "--select", "x=a"], "--select x=a: names no target of the run; write TARGET=MATCHERS, of haiku"),
    ],
)  # fmt: skip
def test_a_slip_of_the_command_line_is_one_line(endpoint, tmp_path, arguments, said, ask):
    folder = run_of(tmp_path / "r", ten_requests(), [shifted(1, 0, 120)])
    code, lines, told = ask(folder, endpoint.url, *arguments)
    assert (code, told) == (1, None) and lines[-1].endswith(said)


def test_the_schema_in_the_repository_is_this_one():
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run `python -m analysis.enrich.schema`"
