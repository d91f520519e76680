"""Blocks in comments: pictures, and what shows whether a file has its end."""

from __future__ import annotations

import re
from typing import Final

from drivers.survey.report import Thumbnail
from drivers.survey.slicers import Comment

MOST_THUMBNAILS: Final = 16
_EDGE = re.compile(rb";\s*thumbnail(?:_\w{1,8})? (?:begin|end)\b")
_BEGIN = re.compile(rb";\s*thumbnail(?:_(\w{1,8}))? begin (\d{1,5})[x ](\d{1,5})\s+\d+")
_BASE64 = re.compile(rb";\s*[A-Za-z0-9+/=]+")

FOOTERS: Final = {
    "PrusaSlicer": ((2, 4), "prusaslicer_config"),
    "SuperSlicer": ((2, 5), "SuperSlicer_config"),
    "Cura": ((1,), "End of Gcode"),
}
"""By slicer: since which version it ends every file with a block or comment of this name."""

_MARKERS = re.compile(r"(\w+)_BLOCK_(START|END)")


class Thumbnails:
    """Finds pictures, by the bytes between the comments that begin and end them."""

    def __init__(self) -> None:
        self.found: list[Thumbnail] = []
        self._open: tuple[int, int, str, int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a picture has begun."""
        return self._open is not None

    def concerns(self, line: bytes) -> bool:
        """Whether a comment is part of a picture, and `see` wants to know where it is."""
        if b"thumbnail" in line and _EDGE.match(line):
            return True
        if self._open is not None and not _BASE64.fullmatch(line):
            self._open = None  # it has no end, so it is none
        return self._open is not None

    def see(self, line: bytes, begin: int, end: int) -> None:
        """Look at a comment that lies between two offsets."""
        if not _EDGE.match(line):
            return
        self._close(line, begin)
        match = _BEGIN.fullmatch(line)
        if match and len(self.found) < MOST_THUMBNAILS:
            name = (match[1] or b"png").decode("ascii").lower()
            self._open = (int(match[2]), int(match[3]), name, end)

    def _close(self, line: bytes, end: int) -> None:
        if self._open is not None and line.endswith(b" end"):
            width, height, name, offset = self._open
            self.found.append(
                Thumbnail(
                    width=width, height=height, format=name, offset=offset, length=end - offset
                )
            )
        self._open = None


class Ending:
    """Whether the slicer's last words are in the file."""

    def __init__(self) -> None:
        self._begun: dict[str, int] = {}
        self._ended: set[str] = set()

    def see(self, comment: Comment, line: int) -> bool:
        """Look at a comment; True if it begins or ends something."""
        if match := _MARKERS.fullmatch(comment.key):
            name, end = f"{match[1]}_BLOCK", match[2] == "END"
        elif comment.key.endswith("_config") and comment.value in ("begin", "end"):
            name, end = comment.key, comment.value == "end"
        elif comment.key == "End of Gcode":
            name, end = comment.key, True
        else:
            return False
        if end:
            self._ended.add(name)
        elif len(self._begun) < MOST_THUMBNAILS:
            self._begun.setdefault(name, line)
        return True

    def missing(self, slicer: str, version: str) -> str:
        """What is missing at the end of the file, or "" if nothing is known to be."""
        for name, line in self._begun.items():
            if name not in self._ended:
                return f"the block {name} begins in line {line} and has no end"
        since, name = FOOTERS.get(slicer, ((0,), ""))
        numbers = tuple(int(it) for it in re.findall(r"\d{1,6}", version)[:2])
        if name and numbers >= since and name not in self._ended:
            return f"every file of {slicer} {version} has {name!r} at its end, this one has not"
        return ""
