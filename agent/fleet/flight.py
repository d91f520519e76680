"""What a worker tells the flight recorder of its device's line."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from agent.fleet.plan import Plan
from agent.fleet.samples import Snapshot

Asked: TypeAlias = Callable[[str], None]
"""Takes what a driver is asked for: "read voltage current", `do ramp {"to": 5.0}`."""


def unheard(what: str) -> None:
    """Keep nothing of it."""


class Flight(Protocol):
    """Keeps what a device was asked for, and writes down what was on the line before a fault."""

    def asked(self, plan: Plan) -> Asked:
        """Where to say, quickly, what the driver of this device is asked for."""
        ...

    def fault(self, plan: Plan, snapshot: Snapshot) -> None:
        """Say that the device is lost, with its state and the reason. Does not wait."""
        ...


class Unrecorded:
    """A flight recorder that keeps nothing."""

    def asked(self, plan: Plan) -> Asked:
        """See Flight."""
        return unheard

    def fault(self, plan: Plan, snapshot: Snapshot) -> None:
        """See Flight."""
