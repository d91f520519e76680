"""How a job ended, of a printer that forgets its jobs when they end."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Final

from drivers.protocol.printing import PrintResult
from drivers.protocol.prusalink_replies import AT_LEISURE, ENDS, TROUBLE, Told

OUT_OF_SIGHT_S: Final = 30.0
"""A job that was seen no longer ago than this is the one of whose end the printer speaks: it takes
longer to heat up for another."""
GONE_S: Final = 3.0
"""How long a job has to be gone. Between preview and print the firmware is idle for a moment."""


class LastJob:
    """The job that a printer told of last, in what the link keeps, so that it outlives connections.

    The printer names a job while it runs. Afterwards its state says how a print ended and not
    which, so that whoever has not seen it for a while can't tell.
    """

    def __init__(self, kept: MutableMapping[str, str], now: Callable[[], float]) -> None:
        self._kept, self._now = kept, now

    @property
    def id(self) -> str:
        """Its id, "" when there never was one."""
        return self._kept.get("seen", "")

    @property
    def ended(self) -> PrintResult | None:
        """How it ended; None while it runs."""
        name = self._kept.get("seen_end", "")
        return PrintResult[name] if name else None

    @property
    def reason(self) -> str:
        """Why it ended so, "" where nothing need be said."""
        return self._kept.get("seen_reason", "")

    def is_told(self, told: Told) -> None:
        """Take note of what a printer tells of its job now."""
        end = ENDS.get(told.state)
        if told.job:
            now = str(self._now())
            self._kept.update(seen=told.job, seen_at=now, gone_at="", seen_end="", seen_reason="")
            if end is not None:
                self._end(end, told.state)
        elif told.state in AT_LEISURE and self.id and self.ended is None:
            self._is_gone(end, told.state)

    def _is_gone(self, end: PrintResult | None, state: str) -> None:
        now = self._now()
        if end is not None and now - float(self._kept["seen_at"]) <= OUT_OF_SIGHT_S:
            self._end(end, state)
        elif not self._kept["gone_at"]:
            self._kept["gone_at"] = str(now)
        elif now - float(self._kept["gone_at"]) >= GONE_S:
            self._end(PrintResult.UNKNOWN, state)

    def _end(self, result: PrintResult, state: str) -> None:
        reasons = {
            PrintResult.CANCELLED: "it was stopped",
            PrintResult.FAILED: TROUBLE,
            PrintResult.UNKNOWN: f"nobody saw its end, and the printer is {state} now",
        }
        self._kept.update(seen_end=result.name, seen_reason=reasons.get(result, ""))
