"""Checks of the steps that say when, how often and what next, and of what is never reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from agent.jobs.checks import device_checks, measure_checks, person_checks
from agent.jobs.checks.call_checks import check_call
from agent.jobs.checks.device_checks import define
from agent.jobs.checks.inspection import Inspection
from agent.jobs.checks.scope import Scope
from agent.jobs.language.expressions import Expression, ExpressionError, Value
from agent.jobs.language.kinds import ANY, COUNT, Kind
from agent.jobs.recipes.actuation import actuated
from agent.jobs.recipes.device_steps import (
    DoStep,
    MeasureStep,
    PrintStep,
    RampStep,
    RecordStep,
    SetStep,
)
from agent.jobs.recipes.flow_steps import (
    CallStep,
    IfStep,
    ParallelStep,
    Repeat,
    RepeatStep,
    UntilStep,
    WaitStep,
)
from agent.jobs.recipes.person_steps import ConfirmStep, FailStep, InputStep, LogStep
from agent.jobs.recipes.step import Step
from agent.languages.message import Message

PLAIN: Final[Mapping[type[Step], Callable[[Inspection, Any, Scope], None]]] = {
    SetStep: device_checks.check_set,
    DoStep: device_checks.check_do,
    RampStep: device_checks.check_ramp,
    MeasureStep: measure_checks.check_measure,
    PrintStep: device_checks.check_print,
    ConfirmStep: person_checks.check_confirm,
    InputStep: person_checks.check_input,
    LogStep: person_checks.check_log,
    CallStep: check_call,
}
"""Steps that have no others inside, and after which the next one comes."""


def check_steps(look: Inspection, steps: tuple[Step, ...], scope: Scope) -> bool:
    """Check steps in their order, and return whether their end can be reached."""
    ended: Step | None = None
    for step in steps:
        if ended is not None:
            text = Message(
                "is never reached: the {verb} before it ({place}) ends the job",
                verb=ended.verb,
                place=ended.place,
            )
            look.say(step, (), text)
            return False
        if not _goes_on(look, step, scope):
            ended = step
    return ended is None


def _goes_on(look: Inspection, step: Step, scope: Scope) -> bool:
    """Check one step, and return whether the step after it can be reached."""
    match step:
        case WaitStep():
            look.seconds(step, ("wait",), step.wait, scope)
        case UntilStep():
            _check_until(look, step, scope)
        case RecordStep():
            device_checks.check_record(look, step, scope)
            return step.steps is None or check_steps(look, step.steps, scope)
        case RepeatStep():
            return _check_repeat(look, step, scope)
        case IfStep():
            return _check_if(look, step, scope)
        case ParallelStep():
            return _check_parallel(look, step, scope)
        case FailStep():
            person_checks.check_message(look, step, ("fail",), step.fail, scope)
            return False
        case _:
            PLAIN[type(step)](look, step, scope)
    return True


def _check_until(look: Inspection, step: UntilStep, scope: Scope) -> None:
    condition = step.wait.until
    look.expression(step, ("wait", "until"), condition, scope, "boolean")
    if not any("." in name for name in condition.names):
        text = Message(
            "{text} has no reading in it: it never changes while it is waited for",
            text=condition.text,
        )
        look.say(step, ("wait", "until"), text)
    for key in ("within", "steady"):
        look.seconds(step, ("wait", key), getattr(step.wait, key), scope)
    steady, within = step.wait.steady.constant, step.wait.within.constant
    if steady is not None and within is not None and steady > within:
        text = Message(
            "{steady} is longer than within, {within}: it can never be reached",
            steady=step.wait.steady,
            within=step.wait.within,
        )
        look.say(step, ("wait", "steady"), text)


def _check_if(look: Inspection, step: IfStep, scope: Scope) -> bool:
    look.expression(step, ("if",), step.if_, scope, "boolean")
    always = _constant(step.if_)
    if always is False:
        look.say(
            step,
            ("if",),
            Message(
                "{text} never holds: what is under `then` is never reached", text=step.if_.text
            ),
        )
    if always is True and step.else_ is not None:
        look.say(
            step,
            ("if",),
            Message(
                "{text} always holds: what is under `else` is never reached", text=step.if_.text
            ),
        )
    then, other = scope.copy(), scope.copy()
    goes_on = check_steps(look, step.then, then)
    else_goes_on = step.else_ is None or check_steps(look, step.else_, other)
    ends = [it for it, on in ((then, goes_on), (other, else_goes_on)) if on]
    scope.join(
        ends, Message("it is given only on one side of the `if` at {place}", place=step.place)
    )
    return goes_on or else_goes_on


def _check_repeat(look: Inspection, step: RepeatStep, scope: Scope) -> bool:
    how = step.repeat
    given = [key for key in ("times", "while_", "over") if getattr(how, key) is not None]
    if len(given) != 1:
        look.say(step, ("repeat",), Message("give one of times, while and over"), at_key=True)
    variable = _times(look, step, scope)
    inner = scope.copy()
    if how.as_:
        if how.as_ in scope.known and how.as_ not in look.file.recipe.parameters:
            look.say(
                step,
                ("repeat", "as"),
                Message("{as_} is the name of something else already", as_=how.as_),
            )
        define(look, step, how.as_, variable, inner)
        inner.values[how.as_] = _turns(look, how, scope)
    goes_on = check_steps(look, step.steps, inner)
    if how.as_:
        inner.values.pop(how.as_)
        inner.lose(
            [how.as_],
            Message(
                "it is the variable of the `repeat` at {place}, and ends with it", place=step.place
            ),
        )
    if _at_least_once(look, how, scope):
        scope.join([inner], "")
        return goes_on
    scope.join(
        [inner, scope.copy()],
        Message("the `repeat` at {place} may not run at all", place=step.place),
    )
    return True


def _times(look: Inspection, step: RepeatStep, scope: Scope) -> Kind:
    """Check how often it runs; return the kind of its variable."""
    how = step.repeat
    if how.times is not None:
        kind = look.given(step, ("repeat", "times"), how.times, scope)
        if look.fits(step, ("repeat", "times"), kind, COUNT):
            for value in look.plain(how.times, scope):
                if isinstance(value, int | float) and (value < 0 or value != int(value)):
                    look.say(
                        step,
                        ("repeat", "times"),
                        Message("{value:g} is not a number of times", value=value),
                    )
        if how.times == 0 and how.times is not False:
            look.say(step, ("repeat", "times"), Message("0 times: its steps are never reached"))
    if how.while_ is not None:
        look.expression(step, ("repeat", "while"), how.while_, scope, "boolean")
        if _constant(how.while_) is False:
            look.say(step, ("repeat", "while"), Message("never holds: its steps are never reached"))
        if how.most is None:
            look.say(
                step,
                ("repeat",),
                Message("while needs `most`: how many times at most"),
                at_key=True,
            )
    elif how.most is not None:
        look.say(step, ("repeat", "most"), Message("is for `while` alone: delete it"), at_key=True)
    return _over(look, step, scope) if how.over is not None else COUNT


def _over(look: Inspection, step: RepeatStep, scope: Scope) -> Kind:
    kinds = [
        look.given(step, ("repeat", "over", number), given, scope)
        for number, given in enumerate(step.repeat.over or ())
    ]
    first = kinds[0]
    if all(kind.is_number for kind in kinds):
        whole = all(kind.type == "integer" for kind in kinds)
        return Kind("integer" if whole else "number", first.unit)
    if any(kind.type != first.type for kind in kinds):
        look.say(step, ("repeat", "over"), Message("has values of several kinds: give one kind"))
        return ANY
    return first


def _turns(look: Inspection, how: Repeat, scope: Scope) -> tuple[Value, ...]:
    """What the variable can be: all values of `over`, else the first number and the last."""
    if how.over is not None:
        return tuple(value for given in how.over for value in look.plain(given, scope))
    last = look.plain(how.times, scope) if how.times is not None else []
    return tuple(dict.fromkeys((1, *(it for it in last if isinstance(it, int) and it >= 1))))


def _at_least_once(look: Inspection, how: Repeat, scope: Scope) -> bool:
    if how.times is None:
        return how.over is not None
    values = look.plain(how.times, scope)
    return bool(values) and all(isinstance(it, int | float) and it >= 1 for it in values)


def _check_parallel(look: Inspection, step: ParallelStep, scope: Scope) -> bool:
    ends: list[Scope] = []
    goes_on = True
    movers: dict[str, str] = {}
    makers: dict[str, str] = {}
    for name, steps in step.parallel.items():
        inner = scope.copy()
        goes_on = check_steps(look, steps, inner) and goes_on
        roles = actuated(steps, look.library)
        for device in sorted({look.devices.get(role, role) for role in roles}):
            if movers.setdefault(device, name) != name:
                text = Message(
                    "{device} is told what to do in {movers} as well: one branch only",
                    device=device,
                    movers=movers[device],
                )
                look.say(step, ("parallel", name), text, at_key=True)
        for result in inner.known.keys() - scope.known.keys():
            if makers.setdefault(result, name) != name:
                text = Message(
                    "{result} is given in {makers} as well: choose another name",
                    result=result,
                    makers=makers[result],
                )
                look.say(step, ("parallel", name), text, at_key=True)
        ends.append(inner)
    for end in ends:
        for result in end.known.keys() - scope.known.keys():
            scope.define(result, end.known[result])
        scope.lose_all(end.absent)
    return goes_on


def _constant(expression: Expression) -> object:
    """What an expression without names gives; None if it has some, or gives nothing."""
    if expression.names:
        return None
    try:
        return expression.value({})
    except ExpressionError:
        return None  # said with the expression itself
