"""Tables of keys in the documents, compared with the pydantic models that read the files."""

import json
import pathlib
import typing

import pydantic

from tests.helpers.documents import code, table


def check_keys(
    readme: pathlib.Path,
    heading: str,
    model: type[pydantic.BaseModel],
    bases: tuple[type[pydantic.BaseModel], ...] = (),
) -> None:
    """The table below `heading` has a row for every key of the model with its meaning and default, and no other; the keys of
    `bases` have tables of their own."""
    inherited = {name for base in bases if model is not base and issubclass(model, base) for name in base.model_fields}
    fields = {
        name.replace("p99_9", "p99.9"): field for name, field in model.model_fields.items() if name not in inherited
    }
    rows = table(readme, heading, "key")
    assert {code(row[0]) for row in rows} == set(fields) and len(rows) == len(fields), heading
    for key, meaning, told in rows:
        expected = _default(fields[code(key)])
        assert meaning, key
        assert told == expected if expected else told != "required" and not code(told), f"{key}: {told}"


def _default(field: pydantic.fields.FieldInfo) -> str | None:
    """A key's default as a table has it: `required`, code, or None where the table has words of its own."""
    if field.is_required():
        return "required"
    value: typing.Any = field.default
    if isinstance(value, pydantic.BaseModel):
        value = value.model_dump(exclude_defaults=True)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (isinstance(value, list) and value):
        return None
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"
