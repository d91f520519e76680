"""Checks of the steps that ask something of devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.jobs.checks.inspection import Inspection
from agent.jobs.checks.offers import Offer
from agent.jobs.checks.scope import Scope
from agent.jobs.language.expressions import Expression, Value
from agent.jobs.language.kinds import ANY, Kind
from agent.jobs.language.values import Given, Target
from agent.jobs.recipes.device_steps import DoStep, PrintStep, RampStep, RecordStep, SetStep
from agent.jobs.recipes.step import Step
from agent.languages.message import Message
from agent.settings.document import KeyPath
from agent.settings.sentences import suggest

FASTEST_S = 0.05
"""Shortest period of a record or a ramp: as fast as the fastest poll."""


def check_set(look: Inspection, step: SetStep, scope: Scope) -> None:
    """Each setting exists, and takes its value."""
    for target, given in step.set.items():
        key: KeyPath = ("set", str(target))
        offer, kind = _setting(look, step, key, target)
        if offer is not None:
            _takes(look, step, key, (offer, target, kind), given, scope)


def check_ramp(look: Inspection, step: RampStep, scope: Scope) -> None:
    """The setting exists and is a number, takes its end, and the rate is in its unit."""
    offer, kind = _setting(look, step, ("ramp",), step.ramp)
    if offer is not None and kind.type not in ("number", "any"):
        look.say(
            step,
            ("ramp",),
            Message("{ramp} is {kind}: only a number can be ramped", ramp=step.ramp, kind=kind),
        )
    elif offer is not None:
        _takes(look, step, ("to",), (offer, step.ramp, kind), step.to, scope)
    look.rate(step, ("rate",), step.rate, scope, kind.unit)
    _period(look, step, ("every",), step, scope)


def check_do(look: Inspection, step: DoStep, scope: Scope) -> None:
    """The command exists and takes what it is given; its result has a name of its own."""
    offer = look.offer(step, ("do",), step.do.role)
    parameters = offer.command(step.do.name) if offer is not None else ""
    if offer is None or isinstance(parameters, str):
        if isinstance(parameters, str) and parameters:
            look.say(step, ("do",), parameters)
        for name, given in step.with_.items():
            look.given(step, ("with", name), given, scope)
        if step.as_:
            define(look, step, step.as_, ANY, scope)
        return
    look.uses(step, step.do, offer.role(step.do.name))
    if step.do.name == "print" and "file" in parameters:
        text = Message(
            "a print is a step of its own, which asks for the plate: `print: FILE`, `on: {role}`",
            role=step.do.role,
        )
        look.say(step, ("do",), text)
    for known in _turns(_arguments(look, step, parameters, scope)):
        if why := offer.refused_arguments(step.do.name, known):
            look.say(step, ("with",) if step.with_ else ("do",), why)
            break
    _result(look, step, offer.result(step.do.name), scope)


def _arguments(
    look: Inspection, step: DoStep, parameters: Mapping[str, Kind], scope: Scope
) -> dict[str, list[Value]]:
    """Check names and kinds; return what each value can be, as far as that is known."""
    known: dict[str, list[Value]] = {}
    for name, given in step.with_.items():
        kind = look.given(step, ("with", name), given, scope)
        if parameters and name not in parameters:
            text = Message(
                "{do} takes no {name!r}; {suggest}",
                do=step.do,
                name=name,
                suggest=suggest(name, parameters),
            )
            look.say(step, ("with", name), text, at_key=True)
            continue
        written = not isinstance(given, Expression)
        if (
            written
            or name not in parameters
            or look.fits(step, ("with", name), kind, parameters[name])
        ):
            known[name] = look.plain(given, scope)
        else:
            known[name] = []
    return known


def _turns(known: Mapping[str, list[Value]]) -> Iterator[dict[str, object]]:
    """Arguments with what each can be, one after the other; None where nothing is known."""
    longest = max(map(len, known.values()), default=0)
    for turn in range(max(longest, 1)):
        yield {
            name: values[min(turn, len(values) - 1)] if values else None
            for name, values in known.items()
        }


def _result(look: Inspection, step: DoStep, result: Kind, scope: Scope) -> None:
    if step.as_ is None:
        return
    if result.type == "nothing":
        look.say(
            step, ("as",), Message("{do} gives nothing back: delete it", do=step.do), at_key=True
        )
    define(look, step, step.as_, result, scope)


def check_record(look: Inspection, step: RecordStep, scope: Scope) -> None:
    """Each reading exists, once, and the period is not too short."""
    for number, target in enumerate(step.record):
        key: KeyPath = ("record", number)
        offer = look.offer(step, key, target.role)
        look.uses(step, target)
        if offer is not None and target.name not in offer.readings:
            text = Message(
                "{role} has no reading {name!r}; {suggest}",
                role=target.role,
                name=target.name,
                suggest=suggest(target.name, offer.readings),
            )
            look.say(step, key, text)
        if target in step.record[:number]:
            look.say(
                step,
                key,
                Message("{target} is in the list already: delete one of them", target=target),
            )
    _period(look, step, ("every",), step, scope)


def check_print(look: Inspection, step: PrintStep, scope: Scope) -> None:
    """The role is a printer's, and the file is one of the store, where that is known."""
    target = Target(step.on, "print")
    offer = look.offer(step, ("on",), step.on)
    if offer is not None:
        command = offer.command("print")
        if isinstance(command, str):
            look.say(
                step,
                ("on",),
                Message("{on} does not print: {command}", on=step.on, command=command),
            )
        else:
            look.uses(step, target, offer.role("print"))
    kind = look.given(step, ("print",), step.print, scope)
    if not kind.may_be("text"):
        look.say(step, ("print",), Message("is {kind}; it must be the name of a file", kind=kind))
    for name in look.plain(step.print, scope):
        if look.stored is not None and isinstance(name, str) and name not in look.stored:
            known = sorted(look.stored)
            look.say(
                step,
                ("print",),
                Message(
                    "there is no file {name!r} in the store; {suggest}",
                    name=name,
                    suggest=suggest(name, known),
                ),
            )


def define(look: Inspection, step: Step, name: str, kind: Kind, scope: Scope) -> None:
    """Give a name to a result, unless it is another thing's."""
    recipe = look.file.recipe
    if name in recipe.parameters or name in recipe.devices:
        what = Message("parameter") if name in recipe.parameters else Message("device's role")
        look.say(
            step,
            (),
            Message(
                "{name} is the name of a {what}: choose another for the result",
                name=name,
                what=what,
            ),
        )
    other = scope.known.get(name)
    if other is not None and (other.type, other.unit) != (kind.type, kind.unit):
        look.say(
            step,
            (),
            Message(
                "{name} is {other} already: give {kind} another name",
                name=name,
                other=other,
                kind=kind,
            ),
        )
    scope.define(name, kind)


def _setting(
    look: Inspection, step: Step, key: KeyPath, target: Target
) -> tuple[Offer | None, Kind]:
    """The offer of a role that has this setting, and its kind."""
    offer = look.offer(step, key, target.role)
    kind = offer.setting(target.name) if offer is not None else ANY
    if isinstance(kind, str):
        look.say(step, key, kind, at_key=key[0] == "set")
        return None, ANY
    if offer is not None:
        look.uses(step, target, offer.role(target.name))
    return offer, kind


def _takes(
    look: Inspection,
    step: Step,
    key: KeyPath,
    setting: tuple[Offer, Target, Kind],
    given: Given,
    scope: Scope,
) -> None:
    offer, target, wanted = setting
    kind = look.given(step, key, given, scope)
    if isinstance(given, Expression) and not look.fits(step, key, kind, wanted):
        return
    for value in look.plain(given, scope):
        if why := offer.refusal(target.name, value):
            by = (
                Message("{given} may be {value:g}: ", given=given, value=value)
                if isinstance(given, Expression) and not isinstance(value, str)
                else ""
            )
            look.say(step, key, Message("{by}{role}.{why}", by=by, role=target.role, why=why))
            return


def _period(
    look: Inspection, step: Step, key: KeyPath, its: RampStep | RecordStep, scope: Scope
) -> None:
    look.seconds(step, key, its.every, scope)
    seconds = its.every.constant
    if seconds is not None and seconds < FASTEST_S:
        look.say(
            step,
            key,
            Message(
                "{seconds:g} s is too fast; allowed: {fastest_s:g} s or more",
                seconds=seconds,
                fastest_s=FASTEST_S,
            ),
        )
