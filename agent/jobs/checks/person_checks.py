"""Checks of the steps that speak with people."""

from __future__ import annotations

from agent.jobs.checks.device_checks import define
from agent.jobs.checks.inspection import Inspection
from agent.jobs.checks.scope import Scope
from agent.jobs.language.kinds import ANY, BOOLEAN
from agent.jobs.language.messages import Words
from agent.jobs.recipes.person_steps import ConfirmStep, InputStep, LogStep
from agent.jobs.recipes.step import Step
from agent.settings.document import KeyPath


def check_message(look: Inspection, step: Step, key: KeyPath, message: Words, scope: Scope) -> None:
    """Its blanks can be filled in. A name that may have no value is allowed: a dash stands for it."""
    lenient = Scope({**scope.known}, {})
    for name in scope.absent:
        lenient.known.setdefault(name, ANY)
    for language in ("ko", "en"):
        for expression in message.wording(language).expressions:
            look.expression(step, (*key, language), expression, lenient)


def check_confirm(look: Inspection, step: ConfirmStep, scope: Scope) -> None:
    """The question can be asked; the answer has a name of its own."""
    check_message(look, step, ("confirm",), step.confirm, scope)
    if step.within is not None:
        look.seconds(step, ("within",), step.within, scope)
    if step.as_:
        define(look, step, step.as_, BOOLEAN, scope)


def check_input(look: Inspection, step: InputStep, scope: Scope) -> None:
    """The question can be asked, and what is wanted is described without a mistake."""
    check_message(look, step, ("input",), step.input, scope)
    for key, text in step.value.mistakes():
        look.say(step, ("value", key), text)
    if step.within is not None:
        look.seconds(step, ("within",), step.within, scope)
    define(look, step, step.as_, step.value.kind, scope)


def check_log(look: Inspection, step: LogStep, scope: Scope) -> None:
    """Its blanks can be filled in."""
    check_message(look, step, ("log",), step.log, scope)
