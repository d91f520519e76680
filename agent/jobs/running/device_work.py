"""Runs the steps that set, command and ramp devices."""

from __future__ import annotations

from collections.abc import Mapping

from agent.errors import DeviceTrouble
from agent.jobs.language.values import Target, resolved
from agent.jobs.progress import StepNow
from agent.jobs.recipes.device_steps import DoStep, RampStep, SetStep
from agent.jobs.recipes.step import SOME_EXCHANGES_S
from agent.jobs.running.frame import Frame, must_be_done
from agent.languages.message import Message
from agent.safety.condition import BELIEVED


async def run_set(frame: Frame, step: SetStep, _: StepNow) -> None:
    """One setting after the other, each read back before the next."""
    for target, given in step.set.items():
        value = resolved(given, frame.known)
        must_be_done(await frame.means.hands.set(frame.devices[target.role], target.name, value))


async def run_do(frame: Frame, step: DoStep, now: StepNow) -> None:
    """Run the command to its end, and keep what it gives."""
    arguments = {name: resolved(given, frame.known) for name, given in step.with_.items()}
    hands, device = frame.means.hands, frame.devices[step.do.role]
    now.expected = hands.longest(device, step.do.name)
    if step.as_:
        frame.values.pop(step.as_, None)  # a result of an earlier turn is not this one's
    outcome = must_be_done(await hands.do(device, step.do.name, arguments))
    if step.as_ and outcome.value is not None and not isinstance(outcome.value, Mapping):
        frame.values[step.as_] = outcome.value


async def run_ramp(frame: Frame, step: RampStep, now: StepNow) -> None:
    """Move evenly: never faster than the rate, slower where the device takes its time."""
    hands, pace, device = frame.means.hands, frame.means.pace, frame.devices[step.ramp.role]
    end = float(resolved(step.to, frame.known))
    every = step.every.seconds(frame.known)
    pitch = step.rate.per_second(frame.known) * every
    value = await _present(frame, step.ramp)
    now.expected = SOME_EXCHANGES_S + every * abs(end - value) / pitch
    while value != end:
        now.left = every * abs(end - value) / pitch
        await pace.wait(every, lambda _: None)
        value = end if abs(end - value) <= pitch * 1.000001 else _towards(value, end, pitch)
        must_be_done(await hands.set(device, step.ramp.name, value))


def _towards(value: float, end: float, pitch: float) -> float:
    return value + pitch if end > value else value - pitch


async def _present(frame: Frame, target: Target) -> float:
    """What the setting is now, as the device says."""
    device = frame.devices[target.role]
    sample = (await frame.means.hands.read(device, (target.name,)))[target.name]
    is_number = isinstance(sample.value, int | float) and not isinstance(sample.value, bool)
    if sample.quality not in BELIEVED or not is_number:
        why = Message(": {reason}", reason=sample.reason) if sample.reason else ""
        raise DeviceTrouble(
            Message(
                "{device}.{name} can't be read, so that nothing is ramped{why}",
                device=device,
                name=target.name,
                why=why,
            )
        )
    return float(sample.value or 0)
