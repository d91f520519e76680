"""From text to a tree that holds only what the expression language has. Pure."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from agent.jobs.language.expression_words import ARGUMENTS, CONSTANTS, FUNCTIONS, OPERATORS
from agent.languages.message import Message

LONGEST: Final = 300
"""Characters of an expression."""
DEEPEST: Final = 30
"""How many operators, functions and brackets may stand inside each other."""
HAS: Final = Message(
    "an expression has numbers, texts in quotes, true, false, names, + - * / %, "
    "comparisons, and, or, not, “a if condition else b”, and {functions}",
    functions=", ".join(FUNCTIONS),
)
HINTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "**": Message("there are no powers: write x * x"),
        "&&": Message("write and"),
        "||": Message("write or"),
        "//": Message("write floor(a / b)"),
        "!": Message("write not"),
        "°": Message("write the number without a unit"),
    }
)
"""Signs that people know from elsewhere, and what to write instead."""


QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
GLUED: Final = re.compile(r"(?<![\w.])[\d.]*\d\.?(?:[eE][+-]?\d+)?(?![eE][+-]?\d)[A-Za-z_]\w*")


class NotOurs(Exception):
    """The text is no expression of the language. The message says what is allowed."""


def parsed(text: str) -> tuple[ast.expr, tuple[str, ...]]:
    """The tree of an expression and the names in it. A dotted name becomes one name.

    Raises:
        NotOurs: It can't be understood, or has what the language has not.
    """
    if not text.strip():
        raise NotOurs(Message("is empty: write an expression"))
    if len(text) > LONGEST:
        raise NotOurs(
            Message("is longer than {longest} characters: do it in several steps", longest=LONGEST)
        )
    if not text.isprintable():
        raise NotOurs(Message("has a line end or a control character: write it on one line"))
    _refuse_slips(text.strip())
    reader = _Reader(text)
    return reader.taken(_tree(text), 0), tuple(dict.fromkeys(reader.names))


def _refuse_slips(text: str) -> None:
    """What Python only warns of. Its warnings are the whole process's, and not ours to switch."""
    if "\\" in text:
        raise NotOurs(
            Message("{text!r} has a \\, which texts here do not need: leave it out", text=text)
        )
    if found := GLUED.search(QUOTED.sub("''", text)):
        raise NotOurs(
            Message(
                "{found!r} is a number with letters after it: put a space between them",
                found=found[0],
            )
        )


def _tree(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise NotOurs(
            Message(
                "{strip!r} can't be understood{reason}",
                strip=text.strip(),
                reason=_reason(text, error),
            )
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise NotOurs(
            Message("{strip!r} can't be understood; {has}", strip=text.strip()[:60], has=HAS)
        ) from None


def _reason(text: str, error: SyntaxError) -> str:
    bare = QUOTED.sub("", text)
    for sign, hint in HINTS.items():
        if sign in bare.replace("!=", ""):
            return Message(": {hint}", hint=hint)
    if re.search(r"[^=!<>]=[^=]", bare):
        return Message(": write == to compare")
    said = str(error.msg).partition(".")[0]
    return f": {said}" if said != "invalid syntax" else Message("; {has}", has=HAS)


class _Reader:
    """Walks a tree, refuses what the language has not, and collects the names."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.names: list[str] = []

    def taken(self, node: ast.expr, depth: int) -> ast.expr:
        """The node as it is evaluated. Raises NotOurs."""
        if depth > DEEPEST:
            raise NotOurs(
                Message(
                    "has more than {deepest} brackets in each other: do it in several steps",
                    deepest=DEEPEST,
                )
            )
        match node:
            case ast.Constant():
                self._constant(node)
            case ast.Name() if node.id in CONSTANTS:
                return ast.copy_location(ast.Constant(CONSTANTS[node.id]), node)
            case ast.Name():
                if node.id in FUNCTIONS:
                    raise NotOurs(Message("{id} is a function: write {id}(…)", id=node.id))
                self.names.append(node.id)
            case ast.Attribute(value=ast.Name() as owner):
                return self._dotted(node, owner)
            case ast.Call():
                self._call(node, depth)
            case _:
                self._compound(node, depth)
        return node

    def _compound(self, node: ast.expr, depth: int) -> None:
        match node:
            case ast.BoolOp():
                node.values = [self.taken(value, depth + 1) for value in node.values]
            case ast.BinOp() if type(node.op) in OPERATORS:
                node.left = self.taken(node.left, depth + 1)
                node.right = self.taken(node.right, depth + 1)
            case ast.UnaryOp() if type(node.op) in OPERATORS:
                node.operand = self.taken(node.operand, depth + 1)
            case ast.Compare() if all(type(op) in OPERATORS for op in node.ops):
                node.left = self.taken(node.left, depth + 1)
                node.comparators = [self.taken(one, depth + 1) for one in node.comparators]
            case ast.IfExp():
                node.test = self.taken(node.test, depth + 1)
                node.body = self.taken(node.body, depth + 1)
                node.orelse = self.taken(node.orelse, depth + 1)
            case _:
                self._refuse(node)

    def _dotted(self, node: ast.Attribute, owner: ast.Name) -> ast.expr:
        name = f"{owner.id}.{node.attr}"
        self.names.append(name)
        return ast.copy_location(ast.Name(name, ast.Load()), node)

    def _call(self, node: ast.Call, depth: int) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS or node.keywords:
            self._refuse(node)
        least, most = ARGUMENTS[name]
        if not least <= len(node.args) <= most:
            many = (
                "1 value"
                if most == 1
                else Message("{least} to {most} values", least=least, most=most)
            )
            raise NotOurs(
                Message(
                    "{name} takes {many} in its brackets, not {count}",
                    name=name,
                    many=many,
                    count=len(node.args),
                )
            )
        node.args = [self.taken(argument, depth + 1) for argument in node.args]

    def _constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, bool | int | float | str):
            self._refuse(node)
        if isinstance(node.value, float) and node.value in (float("inf"), float("-inf")):
            raise NotOurs(Message("has a number that is too large"))

    def _refuse(self, node: ast.expr) -> NoReturn:
        part = ast.get_source_segment(self.text, node) or self.text
        for sign, hint in HINTS.items():
            if sign in part:
                raise NotOurs(
                    Message("{part!r} is not part of the language: {hint}", part=part, hint=hint)
                )
        raise NotOurs(Message("{part!r} is not part of the language; {has}", part=part, has=HAS))


def is_word(name: str) -> bool:
    """Whether the language, or the grammar under it, has this word for itself."""
    return name in FUNCTIONS or name in CONSTANTS or keyword.iskeyword(name)
