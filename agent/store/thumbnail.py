"""The picture of the part that slicers put into a file, as base64 in its comments."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.store.file_folder import Entry, FileFolder

if TYPE_CHECKING:
    from drivers import Thumbnail

MOST_BYTES: Final = 2_000_000
"""Of base64 in the file; slicers write some ten thousand."""
MEDIA_TYPES: Final[Mapping[str, tuple[str, bytes]]] = {
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "jpg": ("image/jpeg", b"\xff\xd8\xff"),
}
"""By format, what it is called and how its first bytes are; browsers show no others of them.

Source: PNG specification, 5.2; JPEG, ITU-T T.81, B.1.1.3, where SOI and a first marker are needed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A picture: its bytes, and what kind of picture they are."""

    media_type: str
    data: bytes


def picture(folder: FileFolder, entry: Entry, thumbnails: Sequence[Thumbnail]) -> Picture | None:
    """The largest PNG or JPEG of these that is one; None where there is none. It blocks.

    Raises:
        UnknownName: The file is gone.
        Changed: The file is not the one that was examined.
        OSError: The disk can't read it.
    """
    fitting = [it for it in thumbnails if it.format in MEDIA_TYPES and it.length <= MOST_BYTES]
    by_size = sorted(fitting, key=lambda it: it.width * it.height, reverse=True)
    if not by_size:
        return None
    with folder.open(entry) as source:
        for thumbnail in by_size:
            source.seek(thumbnail.offset)
            media_type, beginning = MEDIA_TYPES[thumbnail.format]
            data = _decoded(source.read(thumbnail.length))
            if data.startswith(beginning):
                return Picture(media_type=media_type, data=data)
    return None


def _decoded(comment: bytes) -> bytes:
    """The bytes that are spelled in comments; none where it is no base64."""
    words = [line.strip().lstrip(b";").strip() for line in comment.splitlines()]
    try:
        return base64.b64decode(b"".join(words), validate=True)
    except binascii.Error:
        return b""
