"""What the agent tells of its own beginning and end. Pure."""

from collections.abc import Collection
from typing import Final

from agent.fleet.states import DeviceState
from agent.languages.message import Message

NO_BROKER: Final = Message("no broker is configured: nothing is published over MQTT")


def started(station: str, states: Collection[DeviceState], ports: str) -> str:
    """The station runs, and so many of its devices answer."""
    return Message(
        "station {name} runs: {up} of {count} devices answer; {ports}",
        name=station,
        up=sum(state.online for state in states),
        count=len(states),
        ports=ports,
    )


def stopping(station: str) -> str:
    """The agent takes no more requests."""
    return Message("station {name} is stopping", name=station)
