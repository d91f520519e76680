"""The folder of recordings: what was on a line before a fault, bounded in number and in size."""

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.languages.message import Message
from drivers.errors import UnknownName

MOST_OF_A_DEVICE: Final = 20
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of all recordings together; the oldest go first."""
LAST: Final = "last"
"""The name that means the youngest recording of a device."""

_ENDING: Final = ".json"
_DRAFT: Final = ".part"
_NAME: Final = re.compile(r"(?P<device>[a-z][a-z0-9_]*)-(?P<moment>\d{8}T\d{6}\.\d{3}Z)")


@dataclass(frozen=True, order=True, slots=True)
class Kept:
    """One recording: compared by its moment, then its device. `size` is in bytes."""

    moment: str
    device: str
    size: int
    path: Path

    @property
    def name(self) -> str:
        """What a caller calls it."""
        return self.path.stem

    @property
    def time(self) -> str:
        """The moment in RFC 3339, UTC."""
        day, clock = self.moment[:8], self.moment[9:]
        return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"


class RecordingFolder:
    """Recordings as files, called after their device and moment. Every call blocks: use a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, device: str, time: str, text: str) -> Kept:
        """Put a recording there, whole or not at all, and drop what is beyond the bounds.

        `time` is RFC 3339 in UTC, to the millisecond. Raises OSError.
        """
        self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        moment = time.replace("-", "").replace(":", "")
        path = self.folder / f"{device}-{moment}{_ENDING}"
        # What a device says of itself may hold characters that have no UTF-8; JSON can spell them.
        data = text.encode("utf-8", "backslashreplace")
        draft = path.with_suffix(_DRAFT)
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            with contextlib.suppress(OSError):  # the first error says what is wrong
                draft.unlink()
            raise
        self._drop_oldest(device)
        return Kept(moment, device, len(data), path)

    def of(self, device: str) -> list[Kept]:
        """The recordings of a device, oldest first."""
        return [kept for kept in self._all() if kept.device == device]

    def text(self, device: str, name: str) -> str:
        """A recording of the device by its name, or its LAST one.

        Raises:
            UnknownName: The device has none of this name.
            OSError: It can't be read.
        """
        known = {kept.name: kept for kept in self.of(device)}
        wanted = next(reversed(known), "") if name == LAST else name
        if wanted not in known:
            names = ", ".join(known) or "none"
            raise UnknownName(
                Message(
                    "{device} has no recording {name}; recordings: {names}",
                    device=device,
                    name=ascii(name)[:80],
                    names=names,
                )
            )
        return known[wanted].path.read_text("utf-8")

    def _all(self) -> list[Kept]:
        if not self.folder.is_dir():
            return []
        found = (_kept(path) for path in self.folder.glob(f"*{_ENDING}"))
        return sorted(kept for kept in found if kept is not None)

    def _drop_oldest(self, device: str) -> None:
        for draft in self.folder.glob(f"*{_DRAFT}"):
            draft.unlink(missing_ok=True)  # of an agent that was killed while it wrote
        for kept in self.of(device)[:-MOST_OF_A_DEVICE]:
            kept.path.unlink(missing_ok=True)
        everything = self._all()
        size = sum(kept.size for kept in everything)
        for kept in everything[:-1]:  # the youngest stays, however large it is
            if size <= MOST_BYTES:
                return
            kept.path.unlink(missing_ok=True)
            size -= kept.size


def _kept(path: Path) -> Kept | None:
    """The recording of this file; None for what somebody else has put there."""
    found = _NAME.fullmatch(path.stem)
    if found is None or path.is_symlink():
        return None
    try:
        size = path.stat().st_size
    except FileNotFoundError:  # somebody has just deleted it
        return None
    return Kept(found["moment"], found["device"], size, path)
