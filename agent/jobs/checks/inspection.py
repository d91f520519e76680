"""One recipe being checked: what is known of it, and what has been found wrong so far."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, product
from typing import TYPE_CHECKING, Final

from agent.errors import Problem
from agent.jobs.checks.offers import Offer
from agent.jobs.checks.scope import Scope
from agent.jobs.language.expression_kinds import typed
from agent.jobs.language.expressions import Expression, ExpressionError, Value
from agent.jobs.language.kinds import WORDS, Kind, kind_of, same_unit, unit_symbol
from agent.jobs.language.quantities import LONGEST_S, SECONDS, Duration, Rate
from agent.jobs.language.values import Given, Target
from agent.jobs.recipes.recipe_file import RecipeFile
from agent.jobs.recipes.step import Step
from agent.languages.message import Message
from agent.languages.words import term
from agent.settings.document import KeyPath
from agent.settings.sentences import suggest
from drivers import Role

if TYPE_CHECKING:
    from agent.jobs.recipes.library import Library

MOST_TURNS: Final = 1000
"""Combinations of the values of loops in each other that are tried."""


@dataclass(slots=True)
class Inspection:
    """What the checks of all steps share. `arguments` are the parameters, as far as they are known."""

    file: RecipeFile
    offers: Mapping[str, Offer]
    devices: Mapping[str, str]
    arguments: Mapping[str, Value]
    library: Library | None = None
    stored: frozenset[str] | None = None
    """Names of the files that can be printed; None if that is not known."""
    problems: list[Problem] = field(default_factory=list)
    used: dict[str, set[str]] = field(default_factory=dict)
    """What the steps use, by role: readings, settings and commands."""
    names: set[str] = field(default_factory=set)
    """Every name that an expression has used."""
    role: Role = Role.OBSERVER
    demanding: str = ""
    """The step that needs the highest role, and where it is."""

    def say(self, step: Step, key: KeyPath, text: str, *, at_key: bool = False) -> None:
        """Note that something is wrong with a key of a step."""
        path = (*step.place.path, *key)
        self.problems.append(self.file.problem(path, text, at_key=at_key))

    def offer(self, step: Step, key: KeyPath, role: str) -> Offer | None:
        """What a role offers; None if that is not known, and said where the role does not exist."""
        roles = self.file.recipe.devices
        self.used.setdefault(role, set())
        if role not in roles:
            self.say(
                step,
                key,
                Message(
                    "there is no role {role!r} in `devices`; {suggest}",
                    role=role,
                    suggest=suggest(role, roles),
                ),
            )
        return self.offers.get(role)

    def uses(self, step: Step, target: Target, needed: Role | None = None) -> None:
        """Note that a step uses something of a role, and who may do that."""
        self.used.setdefault(target.role, set()).add(target.name)
        if needed is not None and needed > self.role:
            what = {"verb": term(step.verb), "target": str(target), "place": str(step.place)}
            self.role, self.demanding = needed, Message("{verb} {target} ({place})", **what)

    def expression(
        self, step: Step, key: KeyPath, expression: Expression, scope: Scope, *types: str
    ) -> Kind:
        """Check an expression, and that it gives one of these types; return what it gives."""
        kind, said = typed(expression, scope.known, scope.absent)
        self._note(expression)
        for text in said:
            self.say(step, key, text)
        if not said and not expression.names:
            self._constant(step, key, expression)
        if not said and types and kind.type not in (*types, "any"):
            wanted = WORDS[types[0]]
            self.say(
                step,
                key,
                Message(
                    "{text} is {kind}; it must give {wanted}",
                    text=expression.text,
                    kind=kind,
                    wanted=wanted,
                ),
            )
        return kind

    def given(self, step: Step, key: KeyPath, given: Given, scope: Scope) -> Kind:
        """Check a value that may be an expression; return its kind."""
        if isinstance(given, Expression):
            return self.expression(step, key, given, scope)
        return kind_of(given)

    def fits(self, step: Step, key: KeyPath, kind: Kind, wanted: Kind) -> bool:
        """Whether a value of an expression can be what is wanted, in type and unit; said if not."""
        numbers = kind.is_number and wanted.is_number
        if not (numbers or "any" in (kind.type, wanted.type) or kind.type == wanted.type):
            self.say(
                step, key, Message("gives {kind}; it must give {wanted}", kind=kind, wanted=wanted)
            )
            return False
        if numbers and not same_unit(kind.unit, wanted.unit):
            has, needs = (
                unit_symbol(it or "") or Message("no unit") for it in (kind.unit, wanted.unit)
            )
            self.say(
                step,
                key,
                Message(
                    "is in {has}, and {needs} is wanted: nothing is converted", has=has, needs=needs
                ),
            )
            return False
        return True

    def plain(self, given: Given, scope: Scope) -> list[Value]:
        """What a value can be, as far as that is known: it itself, or by parameters and loops.

        Of a parameter alone these are its ends and choices as well: one that is too wide is found.
        """
        if not isinstance(given, Expression):
            return [given]
        parameters = self.file.recipe.parameters
        values: list[Value] = []
        if given.text in parameters and given.text not in self.arguments:
            its = parameters[given.text]
            values += [end for end in (its.low, its.high, *its.choices) if end is not None]
        loops = [name for name in given.names if name in scope.values]
        known = self.arguments or _defaults(self)
        for turn in islice(product(*(scope.values[name] for name in loops)), MOST_TURNS):
            with suppress(ExpressionError):  # it needs a reading, or was said to be wrong
                values.append(given.value({**known, **dict(zip(loops, turn, strict=True))}))
        return values

    def seconds(self, step: Step, key: KeyPath, duration: Duration, scope: Scope) -> None:
        """Check a time whose number is an expression."""
        if not isinstance(duration.amount, Expression):
            return
        kind = self.expression(step, key, duration.amount, scope, "number", "integer")
        if kind.unit and kind.unit not in SECONDS:
            self.say(
                step,
                key,
                Message(
                    "{amount} is in {unit_symbol}, which is no time",
                    amount=duration.amount,
                    unit_symbol=unit_symbol(kind.unit),
                ),
            )
        elif kind.unit and kind.unit != duration.unit:
            text = Message(
                "{amount} is in {unit}: write ={amount} {unit}",
                amount=duration.amount,
                unit=kind.unit,
            )
            self.say(step, key, text)
        for value in self.plain(duration.amount, scope):
            if not isinstance(value, str) and not 0 <= value * SECONDS[duration.unit] <= LONGEST_S:
                text = Message(
                    "{amount} may be {value:g} {unit}: no time of 0 s to 30 d",
                    amount=duration.amount,
                    value=value,
                    unit=duration.unit,
                )
                self.say(step, key, text)
                break

    def rate(self, step: Step, key: KeyPath, rate: Rate, scope: Scope, unit: str | None) -> None:
        """Check how fast a setting of this unit is to change."""
        if isinstance(rate.amount, Expression):
            self.expression(step, key, rate.amount, scope, "number", "integer")
            for value in self.plain(rate.amount, scope):
                if isinstance(value, int | float) and value <= 0:
                    self.say(
                        step,
                        key,
                        Message(
                            "{amount} may be {value:g}: a rate must be above 0",
                            amount=rate.amount,
                            value=value,
                        ),
                    )
        if rate.unit is not None and unit is not None and rate.unit != unit:
            self.say(
                step,
                key,
                Message(
                    "is in {unit}/{per}; write it in {unit_2}/{per}",
                    unit=rate.unit,
                    per=rate.per,
                    unit_2=unit,
                ),
            )

    def _note(self, expression: Expression) -> None:
        for name in expression.names:
            self.names.add(name)
            role, dot, reading = name.partition(".")
            if dot:
                self.used.setdefault(role, set()).add(reading)

    def _constant(self, step: Step, key: KeyPath, expression: Expression) -> None:
        try:
            expression.value({})
        except ExpressionError as error:
            self.say(step, key, str(error))


def _defaults(inspection: Inspection) -> dict[str, Value]:
    parameters = inspection.file.recipe.parameters
    return {name: it.default for name, it in parameters.items() if it.default is not None}
