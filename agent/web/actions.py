"""Acting: settings, commands, stop and reconnect. Every one of them passes the gate."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path

from agent.fleet.samples import Cause, Outcome, Status
from agent.languages.catalogues import all_in_language as said
from agent.languages.message import Message
from agent.public import outcome_form
from agent.roles import refusal
from agent.safety.everything import still_tried, stop_everything
from agent.web import examples, forms, safety_forms
from agent.web.keys import TheKey, TheKeys, asked_by
from agent.web.problems import Problem, problem_of, worst
from agent.web.routes import (
    AT_THE_DOOR_TO_CHANGES,
    WITH_TOKEN,
    TheActor,
    TheDevice,
    TheLanguage,
    TheStation,
    answers,
    no_such,
)
from drivers import Role

# Nothing looks at it; but a body declared as JSON is what a page of another site can't send.
ANY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "`{}`; not needed on the Unix socket.",
        "content": {"application/json": {"schema": {}, "example": {}}},
    }
}
EVERYTHING = (
    *("not-allowed", "no-such", "busy", "reserved", "interlocked", "blocked"),
    *("bad-value", "refused", "not-recorded"),
)
TROUBLE = ("device-failed", "not-sent", "outcome-unknown", "stopping")
STOP_TROUBLE = (*TROUBLE, "still-trying")

changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])
stops = APIRouter(prefix="/api/v1")


@changes.put(
    "/devices/{device}/settings/{setting}",
    summary="Change a setting",
    responses=answers(examples.DONE, *AT_THE_DOOR_TO_CHANGES, "no-token", *EVERYTHING, *TROUBLE),
    response_model=forms.OutcomeForm,
)
async def put_setting(
    setting: Annotated[str, Path(description="A setting of the device.", examples=["voltage"])],
    body: forms.NewValue,
    worker: TheDevice,
    station: TheStation,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Write the value once and read it back. What lies out of range is refused, never clipped."""
    offered = worker.plan.driver_class.settings()
    if setting not in offered:
        raise no_such("setting", setting, offered)
    return said(
        _done(await station.gate.set(actor, worker.plan.name, setting, body.value)), language
    )


@changes.post(
    "/devices/{device}/commands/{command}",
    summary="Run a command",
    responses=answers(
        examples.DONE,
        *(*AT_THE_DOOR_TO_CHANGES, "no-token", *EVERYTHING, "plate-taken", *TROUBLE),
        "key-conflict",
    ),
    response_model=forms.OutcomeForm,
)
async def post_command(
    command: Annotated[str, Path(description="A command of the device.", examples=["ramp"])],
    body: forms.Arguments,
    worker: TheDevice,
    station: TheStation,
    actor: TheActor,
    keys: TheKeys,
    language: TheLanguage,
    key: TheKey = "",
) -> dict[str, Any]:
    """Run the command, or print, and answer when it has ended. It goes on when the caller leaves.

    Sent again within a quarter of an hour with the same `Idempotency-Key` and body, it gets the same
    answer, a refusal too, or waits for it; nothing is done twice. Another request under the key is
    refused as `key-conflict`. An agent that has started anew knows no key of a command: then look at
    the device before asking again.
    """
    offered = worker.plan.driver_class.commands
    if command not in offered:
        raise no_such("command", command, offered)
    device, arguments = worker.plan.name, body.arguments
    asked = asked_by(
        actor, Message("do {device}.{command}", device=device, command=command), arguments
    )
    act = partial(station.gate.do, actor, device, command, arguments)
    return said(_done(await keys.once(key, asked, act)), language)


@changes.post(
    "/devices/{device}/reconnect",
    summary="Try a device again now",
    openapi_extra=ANY_BODY,
    responses=answers(
        {**examples.DONE, "message": "psu1 is tried again now", "value": None},
        *AT_THE_DOOR_TO_CHANGES,
        "no-token",
        "not-allowed",
        "no-such",
    ),
    response_model=forms.OutcomeForm,
)
async def reconnect(
    worker: TheDevice, station: TheStation, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """End the wait between two attempts, also after another instrument had answered."""
    name = worker.plan.name
    if why := refusal(actor, Role.TECHNICIAN, Message("reconnecting {name}", name=name)):
        raise Problem("not-allowed", why)
    worker.reconnect()
    text = Message("{name} is tried again now", name=name)
    station.events.add(
        "reconnect.done",
        Message(
            "{name} ({origin}) reconnect {name_2}",
            name=actor.name,
            origin=actor.origin,
            name_2=name,
        ),
        device=name,
        actor=actor.name,
        origin=actor.origin,
    )
    return said(outcome_form(Outcome(status=Status.DONE, message=text)), language)


@changes.post(
    "/devices/{device}/settle",
    summary="Say what became of a command whose outcome is unknown",
    responses=answers(
        {**examples.DONE, "message": "psu1: 1 settled", "value": None},
        *AT_THE_DOOR_TO_CHANGES,
        "no-token",
        *("not-allowed", "no-such", "bad-value", "not-recorded"),
    ),
    response_model=forms.OutcomeForm,
)
async def settle(
    body: safety_forms.Reason,
    worker: TheDevice,
    station: TheStation,
    actor: TheActor,
    language: TheLanguage,
) -> dict[str, Any]:
    """Unblock a device that somebody has looked at. The reason goes on record with their name."""
    return said(_done(await station.gate.settle(actor, worker.plan.name, body.reason)), language)


@stops.post(
    "/devices/{device}/stop",
    summary="Stop a device",
    openapi_extra=ANY_BODY,
    responses=answers(
        {**examples.DONE, "message": "psu1 was made safe", "value": None},
        *AT_THE_DOOR_TO_CHANGES,
        "no-such",
        *STOP_TROUBLE,
    ),
    response_model=forms.OutcomeForm,
)
async def stop_device(
    worker: TheDevice, station: TheStation, actor: TheActor, language: TheLanguage
) -> dict[str, Any]:
    """Interrupt the device, end its command and make it safe, past every queue.

    The answer comes within a second: `still-trying` names a device that takes longer. Needs no role and no token, and looks at no body. The agent is no safety device: use the
    emergency stop at the machine.
    """
    outcome = await station.gate.stop_soon(actor, worker.plan.name)
    if outcome.cause is Cause.STILL_TRYING:
        raise problem_of(outcome, trying=[worker.plan.name])
    return said(_done(outcome), language)


@stops.post(
    "/stop",
    summary="Stop every device",
    openapi_extra=ANY_BODY,
    responses=answers(
        {"devices": {"psu1": {**examples.DONE, "value": None}}},
        *AT_THE_DOOR_TO_CHANGES,
        *STOP_TROUBLE,
    ),
    response_model=forms.StopForm,
)
async def stop_all(station: TheStation, actor: TheActor, language: TheLanguage) -> dict[str, Any]:
    """Stop all devices at once. A problem unless every one was confirmed safe; `devices` has each.

    The answer comes within a second; `trying` names those that are still being stopped. Needs no role and no token, and looks at no body. The agent is no safety device: use the
    emergency stop at the machine.
    """
    by_device = await stop_everything(station.gate, sorted(station.workers), actor)
    if worst(by_device.values()):
        raise unsafe_problem(by_device)
    shown = {name: outcome_form(outcome) for name, outcome in by_device.items()}
    return said({"devices": shown}, language)


def unsafe_problem(by_device: Mapping[str, Outcome], **more: Any) -> Problem:
    """The problem of a stop after which not every device is confirmed safe, with what is known of each."""
    unsafe = {name: it for name, it in by_device.items() if it.status is not Status.DONE}
    bad = worst(unsafe.values())
    problem = problem_of(bad or Outcome(status=Status.UNKNOWN))
    text = Message(
        "not confirmed safe: {unsafe}; go and look. {detail}",
        unsafe=", ".join(unsafe),
        detail=problem.detail,
    )
    shown = {name: outcome_form(outcome) for name, outcome in by_device.items()}
    return Problem(problem.kind, text, **more, devices=shown, trying=still_tried(by_device))


def _done(outcome: Outcome) -> dict[str, Any]:
    """The outcome for the answer. Raises Problem unless it is done."""
    if outcome.status is not Status.DONE:
        raise problem_of(outcome)
    return outcome_form(outcome)
