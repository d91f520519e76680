"""What can go wrong between the agent and an instrument.

    DriverError
    ├── RequestError          the caller's fault; nothing was sent
    │   ├── UnknownName       no such reading, setting, command or argument
    │   ├── WrongType         a text where a number belongs
    │   ├── OutOfRange        beyond what the model or the config allows
    │   ├── DeviceBusy        a command is running, and this has to wait for its end
    │   └── BadAddress        the address of a device can't be understood
    ├── LinkError             the wire is in doubt
    │   ├── ConnectFailed     nothing was sent
    │   ├── TurnTimeout       the link was never free in time; nothing was sent
    │   ├── LinkTimeout       no whole reply in time; it may still come
    │   │   └── UnitSilent    … of a unit whose neighbours on the same bus do answer
    │   └── LinkClosed        the other end went away
    ├── BadReply              bytes arrived and made no sense; the link gets back in step first
    ├── Unfinished            the instrument has taken the request and not carried it out yet
    ├── WrongInstrument       another instrument answers at this address; never retried
    ├── AccessRefused         it does not accept the key or the password; never retried by itself
    └── DeviceError           the instrument understood and said no
        └── NotMeasured       it is set to measure something else: there is no such value now

Two questions decide what a caller may do. Whose fault was it? That is the class. Was
anything sent? That is `sent`: when it is true and the request was a write, the outcome is
unknown, and only a read-back or a person can settle it. Each class has its usual answer; who
knows better, as of a write that waited in vain for the link to get back in step, says `unsent`.
"""

from typing import Self


class DriverError(Exception):
    """Anything a driver raises."""

    sent: bool = False
    """Whether bytes of the request may have reached the device."""

    def during(self, request: str) -> Self:
        """The same error, with the request that it ended before its words."""
        return self._again(f"{request}: {self}")

    def unsent(self) -> Self:
        """The same error, of a request of which not one byte was sent."""
        return self.marked(sent=False)

    def marked(self, *, sent: bool) -> Self:
        """The same error, of a request that may have been sent, or of which nothing was."""
        again = self._again(*self.args)
        again.sent = sent
        return again

    def _again(self, *words: object) -> Self:
        """A copy with other words. A subclass may be made of anything, so it is not made anew."""
        again = type(self).__new__(type(self), *words)
        vars(again).update(vars(self))
        return again


class RequestError(DriverError):
    """The request was refused before a byte was sent."""


class UnknownName(RequestError):
    """The device has no reading, setting, command or argument of this name."""


class WrongType(RequestError):
    """The value is not of the declared type."""


class OutOfRange(RequestError):
    """The value lies outside the range of the model or of the config."""


class DeviceBusy(RequestError):
    """Another command is running on the device."""


class BadAddress(RequestError):
    """The address can't be understood, or does not suit the driver."""


class LinkError(DriverError):
    """The link failed; whatever was in flight has an unknown outcome."""

    sent = True


class ConnectFailed(LinkError):
    """The link could not be opened."""

    sent = False


class TurnTimeout(LinkError):
    """Others kept the link busy for longer than this request may wait."""

    sent = False


class LinkTimeout(LinkError):
    """No complete reply arrived in time. It may arrive later, and must not be believed then."""


class UnitSilent(LinkTimeout):
    """A unit of a shared bus does not answer, while others do; each question costs them time.

    Attributes:
        cost: Seconds of the bus that this one took.
    """

    def __init__(self, message: str, cost: float = 0.0) -> None:
        super().__init__(message)
        self.cost = cost


class LinkClosed(LinkError):
    """The other end went away."""


class BadReply(DriverError):
    """A reply arrived that does not have the expected shape."""

    sent = True


class Unfinished(DriverError):
    """The instrument took the request and takes long over it: how it ends, nobody has heard."""

    sent = True


class WrongInstrument(DriverError):
    """Another instrument answers at this address."""


class AccessRefused(DriverError):
    """The other end does not accept who we say we are. Asking again and again may lock us out."""


class DeviceError(DriverError):
    """The instrument rejected the request or reports a fault."""

    sent = True


class NotMeasured(DeviceError):
    """The instrument is in order, and set to measure something else; the value does not exist now."""
