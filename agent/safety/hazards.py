"""Whether a device's hazardous outputs are energised, by what is known of them now. Pure."""

from agent.fleet.plan import Plan
from agent.fleet.samples import Snapshot
from agent.fleet.states import DeviceState
from agent.languages.message import Message, listed
from agent.safety.condition import BELIEVED
from agent.safety.spelled import shown
from agent.store.safe_state import MAY_BE_ON, Seen


def seen(plan: Plan, snapshot: Snapshot, before: Seen) -> Seen:
    """How they are. What was on when the link was lost is on until somebody has looked.

    `before` is what was known until now: it stays where the device can't be asked.
    """
    if not snapshot.state.online:
        if before in MAY_BE_ON:
            return before
        if _last_on(plan, snapshot):
            return Seen.ON
        return Seen.UNKNOWN if snapshot.state is DeviceState.FAULT else Seen.AWAY
    if snapshot.activity or _last_on(plan, snapshot):
        return Seen.ON
    return Seen.UNKNOWN if _unread(plan, snapshot) else Seen.OFF


def in_words(plan: Plan, snapshot: Snapshot) -> str:
    """What its hazardous outputs read now: `output on`; those that can't be believed say so."""
    if not snapshot.state.online:
        return Message("it can't be read: {reason}", reason=snapshot.reason or snapshot.state)
    unread = _unread(plan, snapshot)
    return listed(
        Message("{name} can't be read", name=name)
        if name in unread
        else shown(name, snapshot.samples[name].value)
        for name in plan.driver_class.hazards
    )


def _last_on(plan: Plan, snapshot: Snapshot) -> bool:
    """Whether the last value of any of them is one at which it is energised."""
    for name, quiet in plan.driver_class.hazards.items():
        sample = snapshot.samples.get(name)
        if sample is not None and sample.value is not None and sample.value not in quiet:
            return True
    return False


def _unread(plan: Plan, snapshot: Snapshot) -> list[str]:
    """Those of which nobody knows how they are now."""
    samples = snapshot.samples
    return [
        name
        for name in plan.driver_class.hazards
        if name not in samples
        or samples[name].quality not in BELIEVED
        or samples[name].value is None
    ]
