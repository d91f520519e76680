"""Reports of temperatures and places: asked for, or taken as they come by themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from drivers.errors import TurnTimeout
from drivers.protocol.gcode_lines import Lines
from drivers.protocol.gcode_patience import HEATING
from drivers.protocol.gcode_replies import Kind, Reply
from drivers.wire import Ref

T = TypeVar("T")
QUICK_TURN_S: Final = 2.0
REPORT_S: Final = 2
"""How often a board is told to report by itself, s."""
BREAKABLE: Final = {*HEATING, "M600"}
NUMBER: Final = r"(-?\d+(?:\.\d+)?)"
BY_ITSELF: Final = {"M105": "AUTOREPORT_TEMP", "M114": "AUTOREPORT_POS"}


@dataclass(frozen=True)
class ReportRef(Ref[T]):
    """A value in the report that `query` brings; `order` is the line that sets it."""

    query: str
    pattern: str
    order: str = ""


Take = Callable[[Callable[[], Coroutine[Any, Any, list[Reply]]], float], Awaitable[list[Reply]]]
"""Takes a turn on the link within so many seconds, and runs an exchange."""


class Reports:
    """The reports of one board. `take` runs an exchange when its turn comes, within `turn_s`."""

    def __init__(self, lines: Lines, take: Take, turn_s: float) -> None:
        self._lines, self._take, self._turn_s = lines, take, turn_s
        self._listeners: dict[str, set[Callable[[str], None]]] = {}
        self.capabilities: Mapping[str, bool] = {}

    async def fetch(
        self, queries: list[str], *, overhear: bool = False
    ) -> dict[str, str | TurnTimeout]:
        """The reports, asked for one after the other.

        `overhear` waits for those that come by themselves, while a program has the link.
        """
        own = [it for it in queries if overhear and self._comes_by_itself(it)]
        heard = await asyncio.gather(*(self._overhear(it) for it in own))
        found: dict[str, str | TurnTimeout] = {
            query: text for query, text in zip(own, heard, strict=True) if text
        }
        for query in queries:
            if query not in found:
                found[query] = await self._report(query)
        return {query: found[query] for query in queries}

    async def _overhear(self, query: str) -> str:
        """The next report that comes by itself, "" when none comes."""
        coming: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def listen(text: str) -> None:
            if not coming.done():
                coming.set_result(text)

        listeners = self._listeners.setdefault(query, set())
        listeners.add(listen)
        try:
            async with asyncio.timeout(2 * REPORT_S + 0.5):
                return await coming
        except TimeoutError:
            return ""
        finally:
            listeners.discard(listen)

    async def _report(self, query: str) -> str | TurnTimeout:
        """Ask when the turn comes, or take the same report if it comes by itself before that.

        A machine that is busy for long is no broken link: that error belongs to these values.
        """
        heard: list[str] = []
        listeners = self._listeners.setdefault(query, set())
        within = QUICK_TURN_S if self._lines.at_work in BREAKABLE else self._turn_s
        try:
            async with asyncio.timeout(None) as limit:

                def listen(text: str) -> None:
                    listeners.discard(listen)
                    heard.append(text)
                    limit.reschedule(asyncio.get_running_loop().time())

                async def ask() -> list[Reply]:
                    listeners.discard(listen)  # from here on, only the answer will do
                    return await self._lines.converse(query)

                listeners.add(listen)
                try:
                    said = await self._take(ask, within)
                finally:
                    listeners.discard(listen)
        except TimeoutError:
            return heard[0]
        except TurnTimeout as error:
            return error
        return "\n".join(self._answers(said))

    def _answers(self, said: list[Reply]) -> list[str]:
        """What answers a query, without reports that came unasked: they may have been long under way.

        Temperatures that were asked for ride on the `ok`; of positions the last one before it is
        the answer.
        """
        places = [reply for reply in said if reply.kind is Kind.POSITION]
        unasked = places[:-1]
        if self._comes_by_itself("M105"):
            unasked += [reply for reply in said if reply.kind is Kind.TEMPERATURE]
        return [r.payload if r.kind is Kind.OK else r.text for r in said if r not in unasked]

    def _comes_by_itself(self, query: str) -> bool:
        return self.capabilities.get(BY_ITSELF.get(query, ""), False)

    def spread(self, reply: Reply) -> None:
        """Hand a report that came by itself to those who wait for it."""
        query = {Kind.TEMPERATURE: "M105", Kind.POSITION: "M114"}.get(reply.kind, "")
        for listen in tuple(self._listeners.get(query, ())):
            listen(reply.text)
