"""A YAML 1.2 file as plain data that remembers where every key and value stands.

Only what a config needs is taken: mappings, lists, text, numbers, true, false and null. Aliases,
merge keys and tags of other kinds are refused, so a file can neither grow when it is read nor
name an object to build.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from agent.errors import ConfigError, Problem
from agent.languages.message import Message

KeyPath = tuple[str | int, ...]

MAX_DEPTH: Final = 20
CORE: Final = "tag:yaml.org,2002:"
TEXT: Final = {"str", "timestamp", "value"}  # a date is text here: no key of ours takes one
OTHERS: Final = {"int", "float", "bool"}
# What the parser lets through on text that was never YAML: `%YAML 1.3`, "\UFFFFFFFF".
UNFORESEEN: Final = (YAMLError, AssertionError, ValueError, OverflowError, LookupError)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """One file: its data, the spots of its keys and values, and what was wrong on the way."""

    file: str
    data: Any = None
    keys: dict[KeyPath, Spot] = field(default_factory=dict)
    values: dict[KeyPath, Spot] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    refused: set[KeyPath] = field(default_factory=set)
    """Paths that already have a problem: what else may be said of them is a consequence."""

    def spot(self, path: KeyPath, *, at_key: bool = False) -> Spot:
        """Where the value (or the key) of this path stands; of the nearest parent if it has none.

        An entry of a list has no key: its value stands for it.
        """
        if path in self.values and not at_key:
            return self.values[path]
        while path and path not in self.keys:
            if isinstance(path[-1], int) and path in self.values:
                return self.values[path]
            path = path[:-1]
        return self.keys[path] if path else self.values.get((), Spot(1, 1))

    def part(self, path: KeyPath) -> Any:
        """The data of a path that exists."""
        data = self.data
        for key in path:
            data = data[key]
        return data

    def problem(self, path: KeyPath, text: str, *, at_key: bool = False) -> Problem:
        """A problem with the value, or with the key itself."""
        spot = self.spot(path, at_key=at_key)
        return Problem(self.file, spot.line, spot.column, shown_path(path), text)

    def place(self, path: KeyPath) -> str:
        """The file and line of a value, such as `config/station.yaml:41`."""
        return f"{self.file}:{self.spot(path).line}"


def shown_path(path: KeyPath) -> str:
    """A path as a person reads it; characters that can't be printed are escaped."""
    return ".".join(part if part.isprintable() else ascii(part) for part in map(str, path))


def read_document(path: Path) -> Document:
    """Read a file.

    Raises:
        ConfigError: It can't be opened, is not UTF-8, is empty or is not YAML.
    """
    return document_of(str(path), read_bytes(path))


def document_of(file: str, raw: bytes) -> Document:
    """Understand the bytes of a file of this name.

    Raises:
        ConfigError: They are not UTF-8, empty or not YAML.
    """
    document = Document(file)
    root = _compose(file, _text(file, raw))
    if root is None:
        raise ConfigError([Problem(file, 1, 1, "", Message("the file is empty"))])
    document.data = _Reader(document).value(root, ())
    return document


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises ConfigError."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path that no file system takes
        raise ConfigError(
            [Problem(str(path), 0, 0, "", Message("can't be read: {reason}", reason=reason(error)))]
        ) from None


def _text(file: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        spot = _spot_at(raw[: error.start].decode("utf-8-sig", "replace"))
        text = Message(
            "byte 0x{raw:02x} is not UTF-8: save the file as UTF-8 text", raw=raw[error.start]
        )
        raise ConfigError([Problem(file, spot.line, spot.column, "", text)]) from None


def reason(error: OSError | ValueError) -> str:
    """What the operating system says, in small letters and without its number."""
    said = error.strerror if isinstance(error, OSError) else None
    return (said or str(error)).lower()


def _spot_at(before: str) -> Spot:
    """The spot after this text, with the line ends of YAML 1.2, which are those of editors."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n")
    return Spot(lines.count("\n") + 1, len(lines) - lines.rfind("\n"))


def _compose(file: str, text: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False  # anchors mean nothing here: aliases are refused
    try:
        root: Node | None = yaml.compose(text)
    except ReaderError as error:
        spot = _spot_at(text[: error.position])
        said = Message("holds a control character: delete it")
    except MarkedYAMLError as error:
        spot = _marked(error)
        said = Message("not YAML: {why}", why=error.problem or error.context or "")
    except UNFORESEEN:
        spot = Spot(1, 1)
        said = Message("not YAML 1.2: look for a line that begins with %, or for a \\U escape")
    else:
        return root
    raise ConfigError([Problem(file, spot.line, spot.column, "", said)])


def _marked(error: MarkedYAMLError) -> Spot:
    mark = error.problem_mark or error.context_mark
    return Spot(1, 1) if mark is None else Spot(mark.line + 1, mark.column + 1)


class _Reader:
    """Walks the nodes of one document; what it can't use becomes a problem and None."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.seen: set[int] = set()
        self.constructor = YAML(typ="safe", pure=True).constructor

    def value(self, node: Node, path: KeyPath) -> Any:
        """The node's value; remembers its spot."""
        if id(node) in self.seen:
            return self._refuse(
                path, Message("aliases (*name) are not used here: write the values out")
            )
        self.seen.add(id(node))
        self.document.values[path] = _spot(node)
        match node:
            case MappingNode() if node.tag == f"{CORE}map":
                return self._mapping(node, path)
            case SequenceNode() if node.tag == f"{CORE}seq":
                return [self.value(item, (*path, n)) for n, item in enumerate(node.value)]
            case ScalarNode():
                return self._scalar(node, path)
        return self._refuse(path, Message("YAML tags (!name) are not used here: delete it"))

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            spot, name = _spot(key), key.value
            if not isinstance(key, ScalarNode):
                self._refuse_at(spot, path, Message("a key must be a single word"))
            elif name in found:
                first = self.document.keys[*path, name].line
                text = Message(
                    "{key} is already given in line {first}: delete one of them",
                    key=shown_path((name,)),
                    first=first,
                )
                self._refuse_at(spot, (*path, name), text)
            else:
                self.document.keys[*path, name] = spot
                found[name] = self.value(value, (*path, name))
        return found

    def _scalar(self, node: ScalarNode, path: KeyPath) -> Any:
        kind = str(node.tag).removeprefix(CORE)
        if kind in TEXT:
            return node.value
        if kind == "null":
            if node.value == "" and path:
                return self._refuse(
                    path, Message("has no value: write one, or delete the line"), at_key=True
                )
            return None
        if kind not in OTHERS:
            return self._refuse(path, Message("YAML tags (!name) are not used here: delete it"))
        try:
            return self.constructor.construct_object(node)
        except (ValueError, LookupError, TypeError):  # `!!int abc`, or thousands of digits
            return self._refuse(
                path,
                Message(
                    "{value!r} is not a value of type {kind}", value=node.value[:40], kind=kind
                ),
            )

    def _refuse(self, path: KeyPath, text: str, *, at_key: bool = False) -> None:
        self.document.refused.add(path)
        self.document.problems.append(self.document.problem(path, text, at_key=at_key))

    def _refuse_at(self, spot: Spot, path: KeyPath, text: str) -> None:
        file, key = self.document.file, shown_path(path)
        self.document.problems.append(Problem(file, spot.line, spot.column, key, text))


def _spot(node: Node) -> Spot:
    return Spot(node.start_mark.line + 1, node.start_mark.column + 1)
