"""Every `aws ...` of a walk or script names a service, an operation, parameters and values that botocore's models have."""

import functools
import itertools
import re
import shlex

import botocore.session
import jmespath
import pytest
from botocore import xform_name
from botocore.model import OperationModel, Shape

from tests.helpers.documents import ROOT, commands, inline_codes, text_of

WALKS = (*sorted((ROOT / "deploy").rglob("*.md")), ROOT / "scripts/endpoints/README.md")
SCRIPTS = (ROOT / "deploy/ecs/run.sh", ROOT / "deploy/ec2/user-data.sh")
#: what AWS's CLI has of its own, with those of its options that are used
OF_THE_CLI: dict[str, set[str]] = {
    "cloudformation deploy": {"stack-name", "template-file", "capabilities", "parameter-overrides"},
    "configure export-credentials": {"format"},
    "ecr get-login-password": set(),
    "eks update-kubeconfig": {"name"},
    "logs tail": {"follow", "log-stream-name-prefix"},
    "s3 cp": {"recursive", "quiet"},
    "s3 mb": set(),
    "s3 rb": {"force"},
    "s3 rm": {"recursive"},
}
#: its own options of an operation -> the parameters that it sets by them, or by itself
IN_PLACE = {
    "run-instances": {"count": {"min-count", "max-count"}},
    "authorize-security-group-ingress": {"protocol": set(), "port": set(), "source-group": set()},
}
OF_ALL = {"query", "output", "region", "max-items"}  # the last of what comes by pages


def asked(line: str) -> list[list[str]]:
    """The words behind each `aws` of a line, to where the shell ends that command."""
    said = re.sub(r'^echo "(.*)"$', r"\1", line)
    return [_words(said[found.end() :]) for found in re.finditer(r"(?<![\w./'-])aws (?=[a-z])", said)]


def _words(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split, lexer.commenters = True, ""
    return list(itertools.takewhile(lambda word: not set(word) <= set("();<>|&"), lexer))


def lines() -> list[str]:
    found = [line for path in WALKS for line in [*commands(path), *inline_codes(path)]]
    texts = [text_of(path).replace("\\\n", " ") for path in SCRIPTS]
    return [*found, *(line.split("  #")[0] for text in texts for line in text.splitlines() if not line.startswith("#"))]


@functools.cache
def models() -> botocore.session.Session:
    return botocore.session.Session()


def operation_of(service: str, name: str, waited: str | None) -> OperationModel:
    known = {"s3api": "s3"}.get(service, service)
    model = models().get_service_model(known)
    if name == "wait":
        waiters = models().get_waiter_model(known)
        named = {xform_name(one, "-"): one for one in waiters.waiter_names}
        return model.operation_model(waiters.get_waiter(named[waited]).operation)
    return model.operation_model({xform_name(one, "-"): one for one in model.operation_names}[name])


def faults(words: list[str]) -> list[str]:
    """What of it does not exist."""
    options = dict(_options(words))
    command = " ".join(words[:2])
    if command in OF_THE_CLI:
        return [f"{command} --{name}" for name in set(options) - OF_THE_CLI[command] - OF_ALL]
    try:
        operation = operation_of(words[0], words[1], words[2] if len(words) > 2 else None)
    except (KeyError, botocore.exceptions.UnknownServiceError):
        return [command]
    shape = operation.input_shape
    members = {xform_name(name, "-"): of for name, of in shape.members.items()} if shape else {}
    own = IN_PLACE.get(words[1], {})
    needed = {xform_name(name, "-") for name in shape.required_members} if shape else set()
    needed -= set(options).union(*own.values())
    found = [f"{command} --{name}" for name in set(options) - {*members, *own, *OF_ALL}]
    found += [f"{command} without --{name}" for name in needed if words[1] != "wait"]
    for name, value in options.items():
        allowed = getattr(members.get(name), "enum", None)
        found += [f"{command} --{name} {value}"] if allowed and value not in allowed else []
    return found + [f"{command} --query {name}" for name in _unknown(options.get("query"), operation.output_shape)]


def _options(words: list[str]) -> list[tuple[str, str]]:
    """Each with the first word behind it, if that is its value."""
    after = [*words[1:], ""]
    return [(word[2:], after[n]) for n, word in enumerate(words) if word.startswith("--")]


def _unknown(query: str | None, shape: Shape) -> set[str]:
    """Fields of a --query that nothing of the answer is called."""
    if query is None:
        return set()
    return _fields(jmespath.compile(query).parsed) - _names(shape, set())


def _fields(node: dict) -> set[str]:
    own = {node["value"]} if node["type"] == "field" else set()
    return own.union(*(_fields(child) for child in node["children"] if isinstance(child, dict)))


def _names(shape: Shape, seen: set[str]) -> set[str]:
    if shape.name in seen:
        return set()
    seen.add(shape.name)
    inner = getattr(shape, "members", {})
    below = [*inner.values(), *(getattr(shape, part) for part in ("member", "key", "value") if hasattr(shape, part))]
    return set(inner).union(*(_names(one, seen) for one in below))


def test_every_command_of_walks_and_scripts_exists():
    found = [words for line in lines() for words in asked(line)]
    assert len(found) > 60
    assert {" ".join(words[:2]) for words in found} >= set(OF_THE_CLI)
    assert [fault for words in found for fault in faults(words)] == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("x=$(aws ec2 describe-vpc --query 'Vpcs[0].VpcId')", "ec2 describe-vpc"),
        ("aws ec3 describe-vpcs", "ec3 describe-vpcs"),
        ("aws iam get-role --name r | cat", "iam get-role --name"),
        ("aws iam get-role; aws s3 mb s3://b", "iam get-role without --role-name"),
        ("aws ecs wait tasks-ended --cluster c", "ecs wait"),
        ("aws ec2 describe-vpcs --query 'Vpcs[0].Id' --output text", "ec2 describe-vpcs --query Id"),
        ("aws ecr create-repository --repository-name r --image-tag-mutability NEVER", "--image-tag-mutability NEVER"),
        ('echo "Stop: aws s3 cp --all a s3://b"', "s3 cp --all"),
    ],
)
def test_what_does_not_exist_is_found(line, fault):
    told = [one for words in asked(line) for one in faults(words)]
    assert any(one.endswith(fault) for one in told), told
