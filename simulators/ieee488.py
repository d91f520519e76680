"""The common commands of IEEE 488.2 chapter 10, for instruments that have all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from simulators.scpi import Command, Status, WhenIdle, at_most, number


@dataclass(frozen=True, kw_only=True)
class Common:
    """The common commands of one instrument; its integers are signed, as Keysight writes them."""

    identity: str
    status: Status
    reset: Callable[[], None]

    def commands(self) -> Mapping[str, Command]:
        """Return the table of common commands, for `simulators.scpi.Parser`."""
        status = self.status
        return {
            "*IDN?": self._query(lambda: self.identity),
            "*RST": self._do(self.reset),
            "*CLS": self._do(status.clear),
            "*ESR?": self._query(lambda: f"{status.take_events():+d}"),
            "*STB?": self._query(lambda: f"{status.byte:+d}"),
            "*ESE": self._set_event_enable,
            "*ESE?": self._query(lambda: f"{status.event_enable:+d}"),
            "*SRE": self._set_service_enable,
            "*SRE?": self._query(lambda: f"{status.service_enable:+d}"),
            "*OPC": self._do(self._completes),
            "*OPC?": self._hold("1"),
            "*WAI": self._hold(None),
        }

    def _completes(self) -> None:
        self.status.completing = True

    def _set_event_enable(self, parameters: Sequence[str]) -> None:
        self.status.event_enable = int(number(at_most(parameters, 1, 1)[0], 0, 255))

    def _set_service_enable(self, parameters: Sequence[str]) -> None:
        self.status.service_enable = int(number(at_most(parameters, 1, 1)[0], 0, 255))

    def _query(self, value: Callable[[], str]) -> Command:
        def command(parameters: Sequence[str]) -> str:
            at_most(parameters, 0)
            return value()

        return command

    def _do(self, action: Callable[[], None]) -> Command:
        def command(parameters: Sequence[str]) -> None:
            at_most(parameters, 0)
            action()

        return command

    def _hold(self, answer: str | None) -> Command:
        def command(parameters: Sequence[str]) -> WhenIdle:
            at_most(parameters, 0)
            return WhenIdle(lambda: answer)

        return command
