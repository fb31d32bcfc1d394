"""YAML with line numbers: plain data, and the line on which every value stands.

Read more strictly than YAML 1.1 is: only `true` and `false` are booleans (so the country NO stays Norway), a key may
stand once, and anchors and aliases are not read.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from gridhall.errors import Fault, InputError, fault

Place = tuple[str | int, ...]
"""Where a value stands in a document: keys and list positions from the root."""

_Base = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class _Loader(_Base):
    """A safe loader in which yes, no, on and off are text."""


_Loader.yaml_implicit_resolvers = {
    letter: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:bool" or letter in "tTfF"]
    for letter, rules in _Base.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document:
    """A file's data, and the line of each value."""

    path: Path
    data: Any
    lines: dict[Place, int]

    def where(self, place: Place) -> str:
        """`file:line` of a place, or of the nearest thing around it that is written in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return f"{self.path}:{self.lines.get(place, 1)}"

    def fault(self, place: Place, problem: str, mend: str) -> Fault:
        """A fault at a place of this document."""
        return Fault(self.where(place), field_name(place), problem, mend)


def field_name(place: Place) -> str:
    """`sites[0].halls[1].id` for a place."""
    name = ""
    for step in place:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def read_yaml(path: Path) -> Document:
    """Read one YAML document.

    Raises InputError where the file cannot be read, is empty, is no YAML, repeats a key or uses an alias.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fault(str(path), "", f"cannot be read: {error}", "give the path of a UTF-8 text file") from error
    loader = _Loader(text)
    try:
        return _read(path, loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = f"is not valid YAML: {error.problem or error.context}"
        raise fault(f"{path}:{line}", "", problem, "mind indentation, colons and quotes around this line") from error
    except yaml.YAMLError as error:
        raise fault(str(path), "", f"is not valid YAML: {error}", "save it as plain UTF-8 text") from error
    finally:
        loader.dispose()


def _read(path: Path, loader: yaml.SafeLoader) -> Document:
    root = loader.get_single_node()
    if root is None:
        raise fault(f"{path}:1", "", "the file is empty", "start from one of the files in examples/")
    walk = _Walk(path, loader)
    data = walk.value(root, ())
    if walk.faults:
        raise InputError(walk.faults)
    return Document(path, data, walk.lines)


class _Walk:
    """Turns YAML nodes into data, noting lines and faults on the way."""

    def __init__(self, path: Path, loader: yaml.SafeLoader) -> None:
        self.path = path
        self.loader = loader
        self.lines: dict[Place, int] = {}
        self.faults: list[Fault] = []
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, place: Place) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(place, line)
        if id(node) in self._seen:
            self._fault(line, place, "refers to an anchor", "write the value out; aliases are not read")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, index)) for index, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, child in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in result:
                self._fault(line, (*place, key), "stands twice in the same mapping", "keep one of the two")
            self.lines[(*place, key)] = line
            result[key] = self.value(child, (*place, key))
        return result

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return cast(Any, self.loader).construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            return node.value  # such as the date 2026-13-01: as text, so that whoever knows the field can complain

    def _fault(self, line: int, place: Place, problem: str, mend: str) -> None:
        self.faults.append(Fault(f"{self.path}:{line}", field_name(place), problem, mend))
