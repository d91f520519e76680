"""The states of a device, and what each one means for those who look at it."""

from enum import StrEnum


class DeviceState(StrEnum):
    """Whether a device answers, and whether it is free."""

    OFFLINE = "offline"  # it does not answer; the worker goes on trying
    CONNECTING = "connecting"  # the link is being opened and the device identified
    READY = "ready"
    BUSY = "busy"  # a command runs; values go on being read
    FAULT = "fault"  # it answers that it can't be read, or its driver failed; tried again and again
    WRONG_DEVICE = "wrong_device"  # another instrument answers; not tried again until asked
    QUARANTINED = "quarantined"  # a silent unit of a shared bus, asked rarely

    @property
    def online(self) -> bool:
        """Whether values are being read, so that they may be believed."""
        return self in {DeviceState.READY, DeviceState.BUSY}
