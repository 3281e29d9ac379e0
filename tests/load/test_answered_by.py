"""Which production variant answered is in the record, by both transports, of whole and streamed answers."""

import collections

import pytest

from tests.helpers import bodies
from tests.helpers.both_transports import Pair
from tests.helpers.emulator_process import running_emulator
from tests.helpers.surfaces import container, converse

pytestmark = pytest.mark.usefixtures("credentials")
ENDPOINTS = {
    "one": {"engine": "exact", "dialect": "tgi"},
    "split": {"engine": "short", "dialect": "tgi", "variant_shares": {"blue": 0.5, "green": 0.5}},
    "failing": {"engine": "exact", "dialect": "tgi", "faults": {"unavailable": 1.0}},
}


@pytest.fixture(scope="module")
def pair(credentials):
    targets = {
        f"{name} {stream}": container(name, "tgi", stream=stream) for name in ENDPOINTS for stream in (True, False)
    }
    targets["named"] = container("split", "tgi", variant="green")
    targets["bedrock"] = converse(bodies.NOVA)
    with running_emulator(bodies.CONFIG | {"endpoints": ENDPOINTS}) as e:
        yield Pair(e.url, targets)


@pytest.mark.parametrize("transport", [0, 1])
@pytest.mark.parametrize("stream", [True, False])
def test_the_variant_is_recorded(pair, transport, stream):
    assert pair.ask(transport, f"one {stream}").variant == "AllTraffic"
    record = pair.ask(transport, f"failing {stream}")
    assert (record.error, record.variant) == ("unavailable", None)  # a refusal names none


@pytest.mark.parametrize("transport", [0, 1])
def test_each_answer_of_a_split_endpoint_names_its_own(pair, transport):
    found = collections.Counter(pair.ask(transport, "split True").variant for _ in range(40))
    assert found.keys() == {"blue", "green"}  # all of one: 2 x 0.5^40
    assert {pair.ask(transport, "named").variant for _ in range(5)} == {"green"}


def test_bedrock_has_none(pair):
    assert [record.variant for record in pair.records("bedrock")] == [None, None]
