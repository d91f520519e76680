"""Live views: the table of all devices, and events as they happen. Ctrl-C or a time ends them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.live import Live

from agent.cli import output
from agent.cli.client import AgentClient
from agent.cli.failures import first_cause
from agent.cli.stream import Told, follow
from agent.cli.tables import overview, overview_lines
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
        shown_in = language(os.environ)
        with Live(console=Console(highlight=False), auto_refresh=False) as live:
            while True:
                live.update(overview(self.devices, utc_now(), shown_in), refresh=True)
                await asyncio.sleep(REPAINT_S)

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
    _until_told(watched(socket, names, as_json=as_json), seconds)


def follow_events(socket: Path, after: int, *, seconds: float | None, as_json: bool) -> None:
    """Print events after this number until Ctrl-C or for so many seconds. Raises NoAgent."""
    _until_told(_print_events(socket, after, as_json=as_json), seconds)


async def watched(socket: Path, names: frozenset[str], *, as_json: bool = False) -> None:
    """Follow the devices for ever."""
    if as_json:
        async for told in follow(socket, "devices", "stream"):
            if told.form["device"] in names:
                output.document(told.form)
        return
    titles = {name: AgentClient(socket).get("devices", name, "description")["titles"] for name in names}
    picture = Picture(names, titles)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(picture.paint(), name="picture")
        async for told in follow(socket, "devices", "stream"):
            picture.take(told)
