"""Files on a printer with PrusaLink: where there is room, and whether one has arrived whole.

Source: openapi.yaml 1.0.0-draft of PrusaLink Web, /api/v1/storage and /api/v1/files.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final
from urllib.parse import quote

from drivers.errors import DeviceError
from drivers.protocol.prusalink_replies import accepted, size, storage
from drivers.transport.message import Answer, Body

SILENCE_S: Final = 60.0
"""How long it may say nothing in an upload: it writes to a USB drive, beside printing."""
LISTED_S: Final = 10.0
"""How long a file that was sent may take to be listed; PrusaLink on a Raspberry Pi rereads its disk."""
SOON_S: Final = 0.5
"""Seconds between two looks for what happens soon."""

JSON: Final = {"Accept": "application/json"}
GCODE: Final = "text/x.gcode"
"""PrusaLink on a Raspberry Pi looks into a file of any other type, and refuses it."""

FORBIDDEN: Final = str.maketrans(dict.fromkeys('\\/:*?"<>|', "_"))
"""Signs that no file on a FAT drive may have in its name."""
PRINTABLE: Final = (".gcode", ".gco", ".g")
"""How the names end of files that all printers with PrusaLink take for G-code."""

Ask = Callable[..., Awaitable[Answer]]
"""`HostApi.ask`, or what asks out of turn."""


async def tries(seconds: float) -> AsyncIterator[None]:
    """Begin at once, and anew every SOON_S, for so long."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        yield
        if loop.time() >= end:
            return
        await asyncio.sleep(SOON_S)


def name_there(name: str) -> str:
    """What a file is called on the printer: as here, as far as its drive allows."""
    plain = "".join(sign for sign in name.translate(FORBIDDEN) if sign.isprintable())
    plain = f"_{plain}" if plain.startswith(".") else plain  # hidden files are no print files
    return plain if plain.lower().endswith(PRINTABLE) else f"{plain}.gcode"


async def send(ask: Ask, name: str, body: Body) -> str:
    """Send a file in place of one of the same name, and return its path once it is there whole.

    Raises DeviceError: there is no room, the printer refuses it, or something else has arrived.
    """
    place = await _place(ask, name, body.size)
    headers = {**JSON, "Overwrite": "?1"}
    answer = await ask("PUT", place, body=body, headers=headers, within=SILENCE_S)
    accepted(answer, f"take {name}")
    there = await _size(ask, place, name)
    if there == body.size:
        return place
    accepted(await ask("DELETE", place, headers=JSON), f"delete {name}, which is damaged")
    has = "does not say how many" if there is None else f"has {there}"
    raise DeviceError(
        f"{name} has {body.size} bytes, and the printer {has} of it: it was deleted there; send it again"
    )


async def _place(ask: Ask, name: str, needed: int) -> str:
    path, free = storage(await ask("GET", "/api/v1/storage", headers=JSON))
    if free is not None and free < needed:
        raise DeviceError(
            f"{name} has {needed} bytes, and the printer's /{path} has room for {free}: "
            "delete files there"
        )
    return f"/api/v1/files/{quote(path)}/{quote(name_there(name), safe='')}"


async def _size(ask: Ask, place: str, name: str) -> int | None:
    async for _ in tries(LISTED_S):
        answer = await ask("GET", place, headers=JSON)
        if answer.status != 404:
            return size(answer)
    raise DeviceError(f"the printer took {name}, and does not know it after {LISTED_S:g} s")
