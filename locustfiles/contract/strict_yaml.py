"""Strict YAML: a file becomes a pydantic model, or one line says what to mend and where."""

import pathlib
import typing

import pydantic
import yaml

from locustfiles.contract.bad_input import BadInput
from locustfiles.contract.keys import kind_of_key
from locustfiles.contract.nearest import nearest
from locustfiles.contract.yaml_loader import ShippedLoader, UniqueKeyLoader
from locustfiles.contract.yaml_values import take_quoted_dates, what_to_write


class Strict(pydantic.BaseModel):
    """Base of every config section: an unknown key is an error, a value is never bent to fit."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


#: type of a PydanticCustomError whose value may hold a secret: it is not repeated
SECRET = "secret"
M = typing.TypeVar("M", bound=pydantic.BaseModel)


#: what others call a key -> what it is called here
_OTHER_NAMES = {"tiers": ("steps", "variants")}
MAX_BYTES = 4 * 2**20


def load_yaml(
    path: str | pathlib.Path,
    model: type[M],
    error: type[BadInput] = BadInput,
    keyless: bool = False,
    shipped: bool = False,
) -> M:
    """Read `path` as `model`. shipped: a file of ours, which is read faster. Raises `error` with file, line, key and remedy; with
    `keyless` also for what looks like a key."""
    path = pathlib.Path(path)
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            raise error(f"{path}: larger than {MAX_BYTES >> 20} MiB; give the scenario or price book, not data")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        reason = e.strerror if isinstance(e, OSError) else "it is not UTF-8 text"
        raise error(f"{path}: cannot be read ({reason}); check the path") from None
    try:
        loader = ShippedLoader(text) if shipped else UniqueKeyLoader(text)
        root = loader.get_single_node()
        data = loader.construct_document(root) if root is not None else None
        if keyless and root is not None:
            _refuse_keys(path, root, error)
    except yaml.MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 1
        told = e.problem if ";" in (e.problem or "") else f"not valid YAML: {e.problem}; check indentation and quotes"
        raise error(f"{path}:{line}: {told}") from None
    except (yaml.YAMLError, RecursionError) as e:
        raise error(f"{path}: not valid YAML: {' '.join(str(e).split())}; check indentation and quotes") from None
    if root is None or not isinstance(data, dict):
        raise error(f"{path}:1: {type(data).__name__} instead of `key: value` lines; write a key a line")
    try:
        return _validated(model, data)
    except pydantic.ValidationError as e:
        raise error(_explain(path, root, model, e)) from None


def _validated(model: type[M], data: dict[str, typing.Any]) -> M:
    """Quoted dates are dates. Raises pydantic.ValidationError."""
    try:
        return model.model_validate(data)
    except pydantic.ValidationError as e:
        if not take_quoted_dates(data, e):
            raise
    return model.model_validate(data)


def _refuse_keys(path: pathlib.Path, root: yaml.Node, error: type[BadInput]) -> None:
    """Raises `error` for the first scalar that has the form of a key; it is not repeated."""
    seen: set[int] = set()
    nodes = [("", root)]
    while nodes:
        name, node = nodes.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            nodes += [(name, child) for child in node.value]
        elif isinstance(node, yaml.MappingNode):
            nodes += [pair for key, child in node.value for pair in (("", key), (str(key.value), child))]
        elif isinstance(node, yaml.ScalarNode) and (kind := kind_of_key(node.value, name)):
            if name in ("base_url", "endpoint_url"):  # an address says itself what it may hold
                continue
            raise error(
                f"{path}:{node.start_mark.line + 1}: {name or 'a key of the file'}: holds what looks like {kind}; take it out: "
                "it would reach manifest and report (keys belong into environment variables)"
            )


def place_of(path: str | pathlib.Path, value: str) -> str:
    """`file:line` of the first scalar `value` in a YAML file, else the file alone."""
    try:
        nodes = [yaml.compose(pathlib.Path(path).read_text(encoding="utf-8"), Loader=yaml.SafeLoader)]
    except OSError:
        return str(path)
    lines = []
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.ScalarNode) and node.value == value:
            lines.append(node.start_mark.line + 1)
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value
        elif isinstance(node, yaml.MappingNode):
            nodes += [child for pair in node.value for child in pair]
    return f"{path}:{min(lines)}" if lines else str(path)


def _explain(path: pathlib.Path, root: yaml.Node, model: type[pydantic.BaseModel], e: pydantic.ValidationError) -> str:
    """The first mistake as `file:line: key: what is wrong; remedy`; unknown keys go first, they explain the rest."""
    errors = sorted(e.errors(), key=lambda x: x["type"] != "extra_forbidden")
    first = errors[0]
    unknown = [x for x in errors if x["type"] == "extra_forbidden"]
    if len(unknown) > 1:
        return _unknown_keys(path, root, model, [x["loc"] for x in unknown])
    line, spelled = _place(root, first["loc"], first["type"] == "missing")
    where = f"{path}:{line}: {spelled}" if spelled else f"{path}:{line}"
    if first["type"] == "extra_forbidden":
        close = _close(model, str(first["loc"][-1]))
        hint = f"did you mean `{close}`?" if close else "remove it, or see the scenario reference in configs/README.md"
        return f"{where}: unknown key `{first['loc'][-1]}`; {hint}"
    if first["type"] == "missing":
        return f"{where}: missing; add `{first['loc'][-1]}:`"
    if first["type"] == "too_short":
        return f"{where}: empty; name at least one"
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):  # a target's `service:` decides its keys
        key = first["ctx"]["discriminator"].strip("'")
        expected = first["ctx"].get("expected_tags")
        must = expected.replace(", ", " or ") if expected else "there"
        return f"{where}: `{key}:` must be {must}{_got(first['ctx'].get('tag'))}; mend it"
    if meant := what_to_write(first):
        return f"{where}: {meant}"
    message = first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] == SECRET else _got(first.get("input"))
    what, _, mend = message.partition("; ")
    return f"{where}: {what[0].lower()}{what[1:]}{got}; {mend or 'mend it'}"


def _close(model: type[pydantic.BaseModel], key: str) -> str | None:
    """The key that may have been meant."""
    known = keys_of(model, set())
    if key in _OTHER_NAMES and _OTHER_NAMES[key][0] in known:
        return "` or `".join(_OTHER_NAMES[key])
    close = nearest(key, known)
    return close if close != key else None


def _unknown_keys(
    path: pathlib.Path, root: yaml.Node, model: type[pydantic.BaseModel], locs: list[tuple[int | str, ...]]
) -> str:
    """All of them in one line, in the order of the file."""
    told = []
    for line, spelled, key in sorted((*_place(root, loc, False), str(loc[-1])) for loc in locs):
        close = _close(model, key)
        told.append(f"`{spelled or key}` in line {line}" + (f" (did you mean `{close}`?)" if close else ""))
    first = min(_place(root, loc, False)[0] for loc in locs)
    return f"{path}:{first}: unknown keys: {', '.join(told)}; mend or remove them, see the scenario reference in configs/README.md"


def _got(value: object) -> str:
    return f" (got {value!r})" if isinstance(value, str | int | float | bool) or value is None else ""


def keys_of(model: typing.Any, seen: set[type[pydantic.BaseModel]]) -> set[str]:
    """All field names below a model; `seen` keeps a model that holds itself from going on for ever."""
    names: set[str] = set()
    if isinstance(model, type) and issubclass(model, pydantic.BaseModel) and model not in seen:
        seen.add(model)
        for name, field in model.model_fields.items():
            names |= {name} | keys_of(field.annotation, seen)
    for part in typing.get_args(model):
        names |= keys_of(part, seen)
    return names


def _place(node: yaml.Node, loc: tuple[int | str, ...], missing: bool) -> tuple[int, str]:
    """Line number and spelling of an error's location; union tags in `loc` that name no key are passed over.

    missing: the last part is a key that is not there.
    """
    line, spelled = node.start_mark.line + 1, ""
    for part in loc:
        child = None
        if isinstance(node, yaml.MappingNode):
            child = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if child is None:
                if missing and part is loc[-1]:
                    spelled += f".{part}" if spelled else str(part)
                continue
            line, node = child[0].start_mark.line + 1, child[1]
            spelled += f".{part}" if spelled else str(part)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
            spelled += f"[{part}]"
    return line, spelled
