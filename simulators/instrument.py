"""What every simulated instrument is: state that time changes, and bytes in and out."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Instrument(Protocol):
    """A device as its connector shows it. It holds no socket and never asks the time.

    `opened`, `handle` and `advance` are called by one owner, never at once from two threads.
    """

    def opened(self) -> bytes:
        """Begin a new connection, and return what the device says to it by itself.

        A half-received line of the connection before is forgotten. A board that resets when
        its port is opened resets here and returns its banner.
        """
        ...

    def handle(self, data: bytes) -> bytes:
        """Take bytes as they come off the wire, in pieces of any size; return what is answered at once."""
        ...

    def advance(self, dt: float) -> bytes:
        """Let `dt` seconds pass; return what the device says by itself meanwhile.

        That is an automatic report, or the acknowledgement of a move that has just ended.
        """
        ...


@runtime_checkable
class PowerCycled(Protocol):
    """An instrument that can be switched off and on."""

    def power_cycle(self) -> None:
        """Start anew: what is not kept without power is lost. What it says comes out of `advance`."""
        ...
