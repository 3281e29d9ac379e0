"""Reads YAML whose keys are unique, within bounds, and without numbers that YAML reads otherwise than a person does."""

import collections.abc
import typing

import yaml

from locustfiles.contract.yaml_values import decimal_comma, read_otherwise

MAX_DEPTH = 50
MAX_NODES = 200_000  # with what aliases stand for


class Checked:
    """Of a loader: keys that stand twice, and values that are read otherwise than a person does, are refused."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[collections.abc.Hashable, typing.Any]:
        seen: set[str] = set()
        if slip := decimal_comma(node):
            raise yaml.MarkedYAMLError(problem=slip[0], problem_mark=slip[1])
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue  # a list as a key: refused below
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"key `{key.value}` stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)  # type: ignore[misc,no-any-return]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> typing.Any:
        if slip := read_otherwise(node):
            raise yaml.MarkedYAMLError(problem=slip, problem_mark=node.start_mark)
        try:
            return super().construct_object(node, deep)  # type: ignore[misc]
        except (
            ValueError,
            KeyError,
            AttributeError,
        ) as e:  # it looks like a date or a number, or is tagged as one, but is none
            problem = f"`{node.value[:60]}` cannot be read ({e})" if isinstance(node, yaml.ScalarNode) else str(e)
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from None


class ShippedLoader(Checked, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """For files of ours, which need no bounds: composed by libyaml where it is there, in a tenth of the time."""


class UniqueKeyLoader(Checked, yaml.SafeLoader):
    """Bounded: nesting, and what aliases expand to, are counted while the nodes are composed."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._sizes: dict[int, int] = {}  # node -> nodes that it stands for

    def compose_node(self, parent: yaml.Node | None, index: typing.Any) -> yaml.Node | None:
        alias, mark = self.check_event(yaml.AliasEvent), self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"nested more than {MAX_DEPTH} deep", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None and id(node) not in self._sizes:
            if alias:
                raise yaml.MarkedYAMLError(problem="an alias stands inside its own anchor", problem_mark=mark)
            pairs = node.value if isinstance(node, yaml.CollectionNode) else []
            parts = [part for pair in pairs for part in (pair if isinstance(pair, tuple) else (pair,))]
            size = self._sizes[id(node)] = 1 + sum(self._sizes[id(part)] for part in parts)
            if size > MAX_NODES:
                raise yaml.MarkedYAMLError(
                    problem=f"more than {MAX_NODES:,} values, aliases included", problem_mark=mark
                )
        return node
