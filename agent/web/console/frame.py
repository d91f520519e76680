"""What every page has that changes while it is looked at: how many alarms ask for somebody, and questions."""

from typing import Final

from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.station import Station
from agent.web.console.items import Item, is_open
from agent.web.console.job_items import asked_now
from agent.web.console.live import Seen
from agent.web.console.words import PRIORITIES

COUNT: Final = "nav:alarms"
_RANK: Final = list(PRIORITIES)


def frame(station: Station, language: str) -> Seen:
    """What the live connection of every page tells, whatever its view."""
    return Seen(frame_items(station, language), {"questions": asked_now(station)})


def frame_items(station: Station, language: str) -> dict[str, Item]:
    """The number of open alarms beside their page's name, in the colour of the most urgent; or nothing."""
    alarms = station.alarms.all.values() if station.alarms else ()
    urgent = [it.notice.priority for it in alarms if is_open(it.state)]
    if not urgent:
        return {COUNT: Item("")}
    worst = max(urgent, key=_RANK.index)
    note = Message("open, the most urgent: {priority}", priority=PRIORITIES[worst])
    return {COUNT: Item(str(len(urgent)), worst, None, in_language(note, language))}
