"""What OctoPrint's server answers: when it has done what was asked, and in what words it refuses."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from drivers.errors import BadReply, DeviceError, LinkClosed
from drivers.protocol.octoprint_data import Kept, words
from drivers.transport.message import Answer

AWAY: Final = frozenset({502, 503, 504})
"""What a proxy before OctoPrint answers while OctoPrint itself does not run."""


def told(answer: Answer, what: str) -> Any:
    """What the answer to a question says.

    Raises:
        LinkClosed: The server has trouble of its own, which says nothing of the printer (5xx).
        BadReply: It refuses, or does not answer with JSON.
    """
    if answer.status >= 500:
        raise LinkClosed(f"OctoPrint does not serve now ({answer.status}): {why(answer)}")
    if not answer.ok:
        raise BadReply(f"OctoPrint does not tell {what} ({answer.status}): {why(answer)}")
    return answer.json()


def must(answer: Answer, what: str) -> None:
    """Check that an order was taken.

    Raises:
        LinkClosed: Nobody knows whether OctoPrint got it.
        DeviceError: It refuses.
    """
    if answer.status in AWAY:
        raise LinkClosed(f"OctoPrint does not serve now ({answer.status}): {why(answer)}")
    if not answer.ok:
        raise DeviceError(f"OctoPrint refuses {what} ({answer.status}): {why(answer)}")


def why(answer: Answer) -> str:
    """Why it refuses: `error` of its JSON, or the text as it is."""
    try:
        said = answer.json()
    except BadReply:
        said = answer.text
    error = said.get("error") if isinstance(said, dict) else said
    return words(error) or "it does not say why"


def file_url(place: str) -> str:
    """The resource of a file in OctoPrint's own storage."""
    return f"/api/files/local/{quote(place)}"


def difference(kept: Kept | None, size: int, sha1: str) -> str:
    """How what OctoPrint has kept differs from what was sent; "" where it does not."""
    if kept is None:
        return "OctoPrint has lost it since it was uploaded"
    if kept.size is None and not kept.sha1:
        return "OctoPrint tells neither size nor hash of what it has kept"
    if kept.size is not None and kept.size != size:
        return f"OctoPrint has kept {kept.size} bytes of {size}"
    if kept.sha1 and kept.sha1 != sha1:
        return "OctoPrint has kept something else than was sent, for its hash differs"
    return ""
