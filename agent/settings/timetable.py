"""When a schedule fires: a cron expression in a time zone. The only file that imports cronsim.

Where clocks are put forward, a firing whose time does not exist that day comes at the first minute
that does; where they are put back, one at a fixed time comes once, the first time. Those of every
hour or minute come as often as hours and minutes pass. That is what Debian's cron does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from agent.languages.message import N_, Message, listed

FIELDS: Final = (
    N_("minute"),
    N_("hour"),
    N_("day-of-month"),
    N_("month"),
    N_("day-of-week"),
)
MOST_COUNTED: Final = 100
"""Firings that are counted one by one; of more it is only said that they are more."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """The times of a cron expression. `zone` is an IANA name; moments are seconds UTC.

    Raises:
        ValueError: The expression or the zone means nothing, or nothing would ever fire; the
            sentence names the field.
    """

    cron: str
    zone: str
    _zone: ZoneInfo = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zone", zone_of(self.zone))
        if len(words := self.cron.split()) != len(FIELDS):
            text = N_("{cron!r} has {given} fields, and needs {needed}: {fields}")
            found, named = len(words), listed(map(Message, FIELDS))
            raise ValueError(
                Message(text, cron=self.cron, given=found, needed=len(FIELDS), fields=named)
            )
        if self.after(0.0) is None:
            raise ValueError(
                Message("{cron!r} never comes: no such day is in any year", cron=self.cron)
            )

    def after(self, moment: float) -> float | None:
        """The first firing after a moment; None if there is none within fifty years."""
        try:
            for found in CronSim(self.cron, datetime.fromtimestamp(moment, self._zone)):
                # Where clocks were put back, cronsim begins with the first passing of the hour.
                if (at := found.timestamp()) > moment:
                    return at
        except CronSimError as error:
            raise ValueError(_wrong(self.cron, str(error))) from None
        return None

    def last(self, since: float, until: float) -> float | None:
        """The last firing after `since` that is not after `until`; None if there is none."""
        low, high = self.after(since), until
        if low is None or low > until:
            return None
        while high - low >= 1.0:  # firings are minutes apart; years are halved, not walked through
            middle = (low + high) / 2
            at = self.after(middle)
            if at is not None and at <= until:
                low = at
            else:
                high = middle
        return low

    def count(self, since: float, until: float) -> int:
        """How many firings are after `since` and not after `until`: MOST_COUNTED of those at most."""
        number, at = 0, self.after(since)
        while at is not None and at <= until and number < MOST_COUNTED:
            number, at = number + 1, self.after(at)
        return number

    def shown(self, moment: float) -> str:
        """A moment as people of this zone read it, in RFC 3339 with the zone's distance to UTC."""
        return datetime.fromtimestamp(moment, self._zone).isoformat(timespec="seconds")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # a path, a folder, or no such zone
        text = Message(
            "{name!r} is no time zone; allowed: names of the IANA's list, such as Asia/Seoul",
            name=name,
        )
        raise ValueError(text) from None


def _wrong(cron: str, said: str) -> str:
    """The sentence about what cronsim refuses: it says `Bad minute`."""
    wrong = said.removeprefix("Bad ")
    return Message(
        "{cron!r} is no cron expression: its {wrong} is wrong; the fields are {fields}",
        cron=cron,
        wrong=Message(wrong),
        fields=listed(map(Message, FIELDS)),
    )
