"""Live views: the table of all devices, and events as they happen. Ctrl-C or a time ends them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from agent.cli import loop, output
from agent.cli.client import AgentClient
from agent.cli.stream import Told, follow
from agent.cli.tables import event_line, overview, overview_lines, short_overview
from agent.cli.words import language, utc_now

REPAINT_S: Final = 0.5
PAPER_S: Final = 5.0
"""Seconds from one table to the next where nobody sees them move: in a file or a pipe."""


class Picture:
    """The devices as last told, and how they are shown here: live, as text, or not at all."""

    def __init__(self, names: frozenset[str], titles: Mapping[str, Mapping[str, str]]) -> None:
        self._names, self._titles = names, titles
        self._devices: dict[str, dict[str, Any]] = {}
        self.first = asyncio.Event()

    def take(self, told: Told) -> None:
        """Note what the stream tells of one device."""
        name = told.form["device"]
        if name not in self._names:
            return
        if told.kind == "removed":
            self._devices.pop(name, None)
        else:
            self._devices[name] = {**told.form, "titles": self._titles.get(name, {})}
        if self._names <= self._devices.keys():
            self.first.set()

    @property
    def devices(self) -> list[dict[str, Any]]:
        """The devices in the order of their names."""
        return [self._devices[name] for name in sorted(self._devices)]

    async def paint(self) -> None:
        """Show the picture for ever, each time a little later."""
        await self.first.wait()
        if sys.stdout.isatty():
            await self._paint_live()
        else:
            await self._print()

    async def _paint_live(self) -> None:
        console = Console(highlight=False)
        try:
            with Live(console=console, auto_refresh=False) as live:
                while True:
                    live.update(self.table(console, utc_now(), language(os.environ)), refresh=True)
                    await asyncio.sleep(REPAINT_S)
        except OSError as error:  # the terminal was closed
            raise output.OutputLost(error) from error

    def table(self, console: Console, now: float, shown_in: str) -> Table:
        """All values, or one line a device where they would not fit: no device is left out."""
        whole = overview(self.devices, now, shown_in)
        fits = len(console.render_lines(whole)) <= console.height
        return whole if fits else short_overview(self.devices, now, console.width)

    async def _print(self) -> None:
        """Print the table now, every few seconds, and once more at the end."""
        try:
            while True:
                self._print_once()
                await asyncio.sleep(PAPER_S)
        finally:
            self._print_once()

    def _print_once(self) -> None:
        output.line(f"{overview_lines(self.devices, utc_now())}\n")


def watch_devices(
    socket: Path, names: frozenset[str], *, seconds: float | None, as_json: bool
) -> None:
    """Show these devices until Ctrl-C or for so many seconds. Raises NoAgent."""
    picture = Picture(names, titles_of(socket, names))
    _to_the_end(tell_devices(socket, names) if as_json else show_devices(socket, picture), seconds)


def follow_events(socket: Path, after: int, *, seconds: float | None, as_json: bool) -> None:
    """Print events after this number until Ctrl-C or for so many seconds. Raises NoAgent."""
    _to_the_end(_print_events(socket, after, as_json=as_json), seconds)


def titles_of(socket: Path, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """What people call these devices, by language."""
    with AgentClient(socket) as client:
        return {name: client.get("devices", name, "description")["titles"] for name in names}


async def show_devices(socket: Path, picture: Picture) -> None:
    """Show the devices as the agent tells of them, until cancelled. Raises NoAgent."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(picture.paint(), name="picture")
        async for told in follow(socket, "devices", "stream"):
            picture.take(told)


async def tell_devices(socket: Path, names: frozenset[str]) -> None:
    """Print each change of the devices as a line of JSON, until cancelled. Raises NoAgent."""
    async for told in follow(socket, "devices", "stream"):
        if told.form["device"] in names:
            output.document(told.form)


async def _print_events(socket: Path, after: int, *, as_json: bool) -> None:
    async for told in follow(socket, "events", "stream", after=str(after)):
        if as_json:
            output.document(told.form)
        else:
            output.line(event_line(told.form))


def _to_the_end(work: Coroutine[Any, Any, None], seconds: float | None) -> None:
    async def bounded() -> None:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await work
        except TimeoutError:
            if not limit.expired():
                raise

    with suppress(KeyboardInterrupt):  # the usual end of a view
        loop.run(bounded())
