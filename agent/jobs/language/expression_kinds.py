"""What an expression gives, found out before anything runs, and everything that is wrong with it.

The rule for units: what is added, compared or chosen between must have the same unit, as far as
both are known. A written number has none that is known, so `oven.temperature > 80` is in the unit
of the reading. A product or a quotient has none either: nothing is converted.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from agent.jobs.language.expressions import Expression
from agent.jobs.language.kinds import ANY, BOOLEAN, NUMBER, Kind, kind_of, same_unit, unit_symbol
from agent.languages.message import Message
from agent.settings.sentences import suggest

SIGNS: Final[Mapping[type[ast.AST], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Mod: "%",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.USub: "-",
    ast.UAdd: "+",
}
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
KEEPS_UNIT: Final = frozenset({"abs", "ceil", "floor", "round"})


def typed(
    expression: Expression, names: Mapping[str, Kind], absent: Mapping[str, str] = NOTHING
) -> tuple[Kind, tuple[str, ...]]:
    """What the expression gives where these names are known, and a sentence for each mistake.

    `names` has dotted names as well; `absent` has names that may have no value here, each with the
    reason. After a mistake the kind is the most that can be said.
    """
    typing = _Typing(names, absent)
    kind = typing.of(expression.tree)
    return kind, tuple(dict.fromkeys(typing.said))


class _Typing:
    """Walks one tree from its leaves to its root."""

    def __init__(self, names: Mapping[str, Kind], absent: Mapping[str, str]) -> None:
        self.names, self.absent = names, absent
        self.said: list[str] = []

    def of(self, node: ast.expr) -> Kind:
        match node:
            case ast.Constant():
                return kind_of(node.value)
            case ast.Name():
                return self._name(node.id)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Compare():
                return self._condition(node)
            case ast.UnaryOp():
                return self._numbers(SIGNS[type(node.op)], [node.operand])
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.IfExp():
                self._must_be_boolean("if", node.test)
                return self._either(self.of(node.body), self.of(node.orelse))
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node.args)
        return ANY

    def _condition(self, node: ast.BoolOp | ast.UnaryOp | ast.Compare) -> Kind:
        match node:
            case ast.BoolOp():
                word = "and" if isinstance(node.op, ast.And) else "or"
                for value in node.values:
                    self._must_be_boolean(word, value)
            case ast.UnaryOp():
                self._must_be_boolean("not", node.operand)
            case ast.Compare():
                self._comparison(node)
        return BOOLEAN

    def _name(self, name: str) -> Kind:
        if name in self.names:
            return self.names[name]
        if name in self.absent:
            self.said.append(
                Message(
                    "{name} may have no value here: {absent}", name=name, absent=self.absent[name]
                )
            )
            return ANY
        self.said.append(self._unknown(name))
        return ANY

    def _unknown(self, name: str) -> str:
        """What to say of a name that is not known: what it may have meant."""
        owner, dot, _ = name.partition(".")
        readings = [known for known in self.names if known.startswith(f"{owner}.")]
        if dot and readings:
            return Message(
                "{owner} has no reading {name!r}; {suggest}",
                owner=owner,
                name=name,
                suggest=suggest(name, readings),
            )
        if readings:
            return Message(
                "{owner} is a device: name one of its readings, such as {readings}",
                owner=owner,
                readings=readings[0],
            )
        if owner in self.names:
            return Message("{owner} is a value and has no parts: write {owner} alone", owner=owner)
        if dot:
            roles = dict.fromkeys(it.partition(".")[0] for it in self.names if "." in it)
            return Message(
                "there is no role {owner!r} in `devices`; {suggest}",
                owner=owner,
                suggest=suggest(owner, roles),
            )
        return Message(
            "nothing is called {name!r}; {suggest}",
            name=name,
            suggest=suggest(name, (it for it in self.names if "." not in it)),
        )

    def _must_be_boolean(self, word: str, node: ast.expr) -> None:
        kind = self.of(node)
        if not kind.may_be("boolean"):
            self.said.append(
                Message(
                    "{word} takes true or false; {unparse} is {kind}",
                    word=word,
                    unparse=ast.unparse(node),
                    kind=kind,
                )
            )

    def _numbers(self, sign: str, nodes: Sequence[ast.expr]) -> Kind:
        """The kind of numbers that must have one unit together."""
        return self._together(sign, ((node, self.of(node)) for node in nodes))

    def _together(self, sign: str, parts: Iterable[tuple[ast.expr, Kind]]) -> Kind:
        """The same, of parts with their kinds; what follows one that is no number is not looked at."""
        found: Kind | None = None
        for part, kind in parts:
            if not self._is_number(sign, part, kind):
                return NUMBER
            found = kind if found is None else self._joined(sign, found, kind)
        return found or NUMBER

    def _is_number(self, sign: str, part: ast.expr, kind: Kind) -> bool:
        """Whether it may be one; else that is said."""
        if kind.may_be("number", "integer"):
            return True
        text = Message(
            "{sign} takes numbers; {unparse} is {kind}",
            sign=sign,
            unparse=ast.unparse(part),
            kind=kind,
        )
        self.said.append(text)
        return False

    def _joined(self, sign: str, one: Kind, other: Kind) -> Kind:
        if not same_unit(one.unit, other.unit):
            self.said.append(_mixed(sign, one, other))
        whole = one.type == other.type == "integer"
        known = one.unit if one.unit is not None else other.unit
        return Kind("integer" if whole else "number", known)

    def _arithmetic(self, node: ast.BinOp) -> Kind:
        sign = SIGNS[type(node.op)]
        left, right = self.of(node.left), self.of(node.right)
        if sign == "+" and left.type == right.type == "text":
            return Kind("text")
        if sign in "+-%":
            if sign == "+" and "any" in (left.type, right.type):
                return ANY
            return self._together(sign, [(node.left, left), (node.right, right)])
        for part, kind in ((node.left, left), (node.right, right)):
            self._is_number(sign, part, kind)
        if sign == "/" and isinstance(node.right, ast.Constant) and node.right.value == 0:
            self.said.append(Message("{unparse} divides by zero", unparse=ast.unparse(node)))
        return NUMBER

    def _comparison(self, node: ast.Compare) -> None:
        parts = [node.left, *node.comparators]
        kinds = [self.of(part) for part in parts]
        for number, op in enumerate(node.ops):
            pair = ((parts[number], kinds[number]), (parts[number + 1], kinds[number + 1]))
            self._compared(SIGNS[type(op)], *pair)

    def _compared(
        self, sign: str, left: tuple[ast.expr, Kind], right: tuple[ast.expr, Kind]
    ) -> None:
        one, other = left[1], right[1]
        if sign not in {"==", "!="}:
            self._together(sign, [left, right])
        elif one.is_number and other.is_number:
            self._joined(sign, one, other)
        elif "any" not in (one.type, other.type) and one.type != other.type:
            self.said.append(
                Message(
                    "{unparse} is {one} and {ast_unparse} is {other}: they can't be compared",
                    unparse=ast.unparse(left[0]),
                    one=one,
                    ast_unparse=ast.unparse(right[0]),
                    other=other,
                )
            )
        else:
            self._one_of_the_choices(one, right[0])
            self._one_of_the_choices(other, left[0])

    def _one_of_the_choices(self, kind: Kind, node: ast.expr) -> None:
        if kind.choices and isinstance(node, ast.Constant) and node.value not in kind.choices:
            self.said.append(
                Message(
                    "{value!r} never comes; {suggest}",
                    value=node.value,
                    suggest=suggest(str(node.value), kind.choices),
                )
            )

    def _either(self, one: Kind, other: Kind) -> Kind:
        if one.is_number and other.is_number:
            return self._joined("if … else", one, other)
        if "any" not in (one.type, other.type) and one.type != other.type:
            self.said.append(
                Message(
                    "if … else gives {one} or {other}: it must give one kind of value",
                    one=one,
                    other=other,
                )
            )
        return one if one == other else Kind(one.type if one.type == other.type else "any")

    def _call(self, name: str, arguments: Sequence[ast.expr]) -> Kind:
        if name in {"min", "max"}:
            return self._numbers(name, arguments)
        kind = self._numbers(name, arguments[:1])
        self._numbers(name, arguments[1:])
        if name in {"ceil", "floor"}:
            return Kind("integer", kind.unit)
        return Kind("number", kind.unit if name in KEEPS_UNIT else None)


def _mixed(sign: str, one: Kind, other: Kind) -> str:
    shown = [unit_symbol(kind.unit or "") or Message("no unit") for kind in (one, other)]
    return Message(
        "{sign} between {shown} and {shown_2}: nothing is converted, so both must have one unit",
        sign=sign,
        shown=shown[0],
        shown_2=shown[1],
    )
