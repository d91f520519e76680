"""Files at Moonraker: what one is called there, and what is said of an upload.

Sources: Moonraker, External API, "File Management" (File upload) and "Introduction" (HTTP API
Overview); Klipper, "G-Codes" (SDCARD_PRINT_FILE).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from drivers.errors import BadReply, DeviceError
from drivers.protocol.moonraker_objects import fields_of, number, text, whole
from drivers.protocol.moonraker_socket import Refused, short
from drivers.transport.message import Answer

FOLDER: Final = "labkeeper"
"""Folder of the files that were sent from here, so that nobody else's file is written over."""

PRINTABLE: Final = frozenset({".gcode", ".g", ".gco"})
"""Ends of the names among which Klipper looks for a file to print (klippy/extras/virtual_sdcard.py)."""

BREAKING: Final = str.maketrans(dict.fromkeys('"\\/;#*', "_"))
"""What ends a name in the command SDCARD_PRINT_FILE, begins a comment there, or is a folder's end."""


def name_there(name: str) -> str:
    """What a file is called at the printer: as here, but for signs that would break a command."""
    plain = name.translate(BREAKING)
    if plain.startswith("."):
        plain = f"_{plain}"  # Klipper does not see hidden files
    return plain if PurePosixPath(plain).suffix.lower() in PRINTABLE else f"{plain}.gcode"


def shown_name(place: str) -> str:
    """What a file is called here, by its path among the printer's files."""
    return short(place.removeprefix(f"{FOLDER}/"))


def result(answer: Answer, request: str) -> Any:
    """What a request over HTTP has resulted in. Raises Refused, and BadReply for what is no JSON."""
    if not answer.ok:
        raise Refused.with_code(answer.status, f"{request}: {_words(answer)} ({answer.status})")
    told = answer.json()
    return told["result"] if isinstance(told, Mapping) and "result" in told else told


def kept(told: Any) -> tuple[str, int]:
    """Where an uploaded file is among the printer's files, and its bytes there. Raises BadReply."""
    item = fields_of(fields_of(told, "the reply to an upload").get("item"), "item")
    place, size = text(item, "path"), whole(item, "size")
    if not place or size is None:
        raise BadReply("the reply to an upload names neither place nor size")
    return place, size


def differs(place: str, there: int, here: int, gone: str) -> DeviceError:
    """The error of a file that has other bytes at the printer; `gone` is what became of it there."""
    return DeviceError(
        f"{shown_name(place)} has {there} bytes at the printer instead of {here}; {gone}. "
        "Switch enable_object_processing off in moonraker.conf, if it is on, and print it again"
    )


def estimate(metadata: Any) -> float | None:
    """Seconds that the slicer reckons for a file, None where it does not say. Raises BadReply."""
    seconds = number(fields_of(metadata, "metadata"), "estimated_time")
    return seconds if seconds else None


def _words(answer: Answer) -> str:
    """What an error says, `{"error": {"code": …, "message": …}}`; proxies in between send pages."""
    try:
        return short(text(fields_of(fields_of(answer.json(), "it").get("error"), "it"), "message"))
    except BadReply:
        return short(answer.text) or "nothing is said"
