"""Server-sent events: what happens, and devices as they change, for as long as somebody listens."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, Final, TypeVar

from fastapi.sse import format_sse_event
from starlette.responses import StreamingResponse
from starlette.types import Send

from agent.fleet.events import Event, EventLog
from agent.fleet.samples import Snapshot
from agent.languages.catalogues import all_in_language
from agent.public import event_form, state_form
from agent.station import Station

HEARTBEAT_S: Final = 10.0
"""The longest silence: a listener who hears nothing for twice as long has lost the agent."""
PACE_S: Final = 0.1
"""The shortest time between two rounds of states; what changes more often is told once a round."""
HEARTBEAT: Final = b": alive\n\n"

T = TypeVar("T")


class Stream(StreamingResponse):
    """An endless answer that lets go of its source the moment its listener leaves."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes, None], status_code: int = 200) -> None:
        super().__init__(pieces, status_code)
        self._pieces = pieces

    async def stream_response(self, send: Send) -> None:
        """Send piece after piece."""
        async with aclosing(self._pieces):
            await super().stream_response(send)


async def event_pieces(
    events: EventLog, after: int | None, language: str
) -> AsyncGenerator[bytes, None]:
    """Events from now on, or first those kept after this number, in one of LANGUAGES."""
    async with events.listen() as heard:
        missed = events_after(events, after) if after is not None else []
        yield HEARTBEAT
        for old in missed:
            yield _event(old, language)
        async for event in with_heartbeats(heard):
            if event is None:
                yield HEARTBEAT
            else:
                yield _event(event, language)


def events_after(events: EventLog, after: int) -> list[Event]:
    """The kept events after this number; all when the number is from before a restart."""
    kept = events.kept
    newest = kept[-1].number if kept else 0
    return [event for event in kept if event.number > after or after > newest]


async def state_pieces(station: Station, language: str) -> AsyncGenerator[bytes, None]:
    """Every device as it stands, then each that changes; `removed` when config drops one."""
    shown: dict[str, Snapshot] = {}
    async with station.board.watch() as changes:
        yield HEARTBEAT
        for piece in _changed(station, shown, language):
            yield piece
        async for device in with_heartbeats(changes):
            if device is None:
                yield HEARTBEAT
            elif station.board.latest.get(device) is not shown.get(device):
                for piece in _changed(station, shown, language):
                    yield piece
                await station.clock.sleep(PACE_S)


def _changed(station: Station, shown: dict[str, Snapshot], language: str) -> Iterator[bytes]:
    for device, snapshot in tuple(station.board.latest.items()):
        worker = station.workers.get(device)
        if worker is not None and snapshot is not shown.get(device):
            shown[device] = snapshot
            form = all_in_language(state_form(worker.plan, snapshot), language)
            yield _piece("state", form)
    for device in shown.keys() - station.board.latest.keys():
        del shown[device]
        yield _piece("removed", {"device": device})


async def with_heartbeats(source: AsyncIterable[T]) -> AsyncIterator[T | None]:
    """The items of a board's watch or an event log's listener; None after each long silence.

    Nothing is lost when a wait is given up: both keep what arrives themselves.
    """
    items = aiter(source)
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                item = await anext(items)
        except TimeoutError:
            items = aiter(source)
            yield None
        else:
            yield item


def _event(event: Event, language: str) -> bytes:
    return _piece("event", all_in_language(event_form(event), language), event.number)


def _piece(kind: str, form: dict[str, Any], number: int | None = None) -> bytes:
    # In ASCII: many clients end a line also at U+0085 or U+2028, which a device's text may hold.
    text = json.dumps(form, allow_nan=False)
    return format_sse_event(event=kind, data_str=text, id=None if number is None else str(number))
