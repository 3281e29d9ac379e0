"""What a dialect takes of an API's own: messages and parts, tools, and the form of the answer, each looked at before it is sent."""

import typing

from locustfiles.common.dialects.table import ANSWERING, DIALECTS
from locustfiles.common.prompts import shapes
from locustfiles.common.prompts.forms import ALL, named, narrowed
from locustfiles.common.prompts.payloads import BadPayload, Prompt
from locustfiles.contract.bad_input import BadScenario
from locustfiles.contract.scenario.targets import Target

#: members of Converse's body that are looked at, by botocore's description of them
_MEMBERS = frozenset(
    "toolConfig outputConfig requestMetadata projectIdentifier promptVariables additionalModelResponseFieldPaths".split()
)
_WHAT: dict[type, str] = {dict: "an object", list: "a list of objects", str: "a text"}


def check_form(dialect: str, target: Target, prompt: Prompt) -> None:
    """Raises BadPayload for messages in the form of another API, and for a system message where it cannot stand."""
    row = DIALECTS[dialect]
    if dialect == "raw":
        return
    if prompt.told_later and not row.told_later:
        others = ", ".join(name for name, other in ANSWERING.items() if other.told_later)
        raise BadPayload(
            f"target `{target.name}`: prompt `{prompt.id}` has a system message behind others, which {dialect} does not take; move it to "
            f"the front, or use one of {others}"
        )
    forms = prompt.forms
    if forms is ALL or row.form in forms:
        return
    where, own = next((place, taken) for place, taken in narrowed(prompt.messages or ()) if row.form not in taken)
    others = ", ".join(name for name, other in ANSWERING.items() if other.form in forms)
    raise BadPayload(
        f"target `{target.name}`: prompt `{prompt.id}`: `{where}` is in the form of {named(own)}, which {dialect} does not take; "
        f"write it in {dialect}'s own, or use one of {others}"
    )


def check_documents(dialect: str, target: Target, prompt: Prompt) -> None:
    """Raises BadPayload for documents to rank where there is nothing that ranks them, and the other way round."""
    if DIALECTS[dialect].ranks == (prompt.documents is not None):
        return
    if prompt.documents is None:
        what = f'no documents, which {dialect} ranks; write the line as {{"query": "…", "documents": ["…", "…"]}}'
    else:
        ranking = ", ".join(name for name, row in ANSWERING.items() if row.ranks)
        what = f"documents to rank, which {dialect} does not do; use one of {ranking}"
    raise BadPayload(f"target `{target.name}`: prompt `{prompt.id}` has {what}")


def check_tools(dialect: str, target: Target, prompt: Prompt, parameters: dict[str, typing.Any]) -> None:
    """Raises BadPayload or BadScenario for tools and forms of answers that are not as the API has them."""
    try:
        if dialect == "converse":
            for key in _MEMBERS & parameters.keys():
                if parameters[key] is not None:
                    shapes.check(shapes.member("Converse", key), parameters[key], f"parameters.{key}")
        elif DIALECTS[dialect].form not in (None, "converse"):
            _own(dialect, parameters)
    except ValueError as e:
        key = str(e).split("`parameters.", 1)[1].split("`")[0].split(".")[0].split("[")[0]
        bad, place = (BadPayload, f"prompt `{prompt.id}`: ") if key in prompt.parameters else (BadScenario, "")
        raise bad(f"target `{target.name}`: {place}{e}") from None


def _own(dialect: str, parameters: dict[str, typing.Any]) -> None:
    """Of OpenAI's and Anthropic's APIs. Raises ValueError."""
    claude, responses = dialect in ("claude", "anthropic-messages"), dialect == "openai-responses"
    tools = parameters.get("tools")
    if tools is not None and (not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools)):
        raise ValueError("`parameters.tools` must be a list of objects")
    for place, tool in enumerate(tools or ()):
        where = f"parameters.tools[{place}]"
        if claude:
            _needs(tool, "name", str, where)
            if tool.get("type", "custom") == "custom":
                _needs(tool, "input_schema", dict, where)
            continue
        _needs(tool, "type", str, where)
        if tool["type"] == "function" and responses:
            _needs(tool, "name", str, where)
        elif tool["type"] == "function":
            _needs(tool, "function", dict, where)
            _needs(tool["function"], "name", str, f"{where}.function")
    _choice(claude, parameters.get("tool_choice"))
    for key in ("response_format", "text", "output_config", "output_format", "reasoning"):
        if parameters.get(key) is not None and not isinstance(parameters[key], dict):
            raise ValueError(f"`parameters.{key}` must be an object")


def _needs(holder: dict, key: str, kind: type, where: str) -> None:
    if not isinstance(holder.get(key), kind):
        raise ValueError(f"`{where}` has no `{key}` that is {_WHAT[kind]}; add it")


def _choice(claude: bool, choice: object) -> None:
    if choice is None or (isinstance(choice, str) and not claude):
        return
    if not isinstance(choice, dict):
        raise ValueError(f"`parameters.tool_choice` must be an object{'' if claude else ' or a text'}")
    _needs(choice, "type", str, "parameters.tool_choice")
