"""The states of a device, and what each one means for those who look at it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from agent.languages.message import Message
from drivers.errors import AccessRefused, DriverError, WrongInstrument


class DeviceState(StrEnum):
    """Whether a device answers, and whether it is free."""

    OFFLINE = "offline"  # it does not answer; the worker goes on trying
    CONNECTING = "connecting"  # the link is being opened and the device identified
    READY = "ready"
    BUSY = "busy"  # a command runs; values go on being read
    FAULT = "fault"  # it answers that it can't be read, or not to us, or its driver failed
    WRONG_DEVICE = "wrong_device"  # another instrument answers; not tried again until asked
    QUARANTINED = "quarantined"  # a silent unit of a shared bus, asked rarely

    @property
    def word(self) -> Message:
        """The state as a sentence names it, in the languages of the lab."""
        return _WORDS[self]

    @property
    def online(self) -> bool:
        """Whether values are being read, so that they may be believed."""
        return self in {DeviceState.READY, DeviceState.BUSY}


_WORDS: Final[Mapping[DeviceState, Message]] = {
    DeviceState.OFFLINE: Message("offline"),
    DeviceState.CONNECTING: Message("connecting"),
    DeviceState.READY: Message("ready"),
    DeviceState.BUSY: Message("busy"),
    DeviceState.FAULT: Message("fault"),
    DeviceState.WRONG_DEVICE: Message("wrong_device"),
    DeviceState.QUARANTINED: Message("quarantined"),
}

LEFT_ALONE: Final[Mapping[type[Exception], DeviceState]] = {
    WrongInstrument: DeviceState.WRONG_DEVICE,
    AccessRefused: DeviceState.FAULT,
}
"""What does not get better by itself: these errors end the attempts until somebody asks for one."""


def state_after(error: Exception) -> DeviceState:
    """The state of a device whose connection ends by this error."""
    usual = DeviceState.OFFLINE if isinstance(error, DriverError) else DeviceState.FAULT
    return LEFT_ALONE.get(type(error), usual)
