"""What a disk holds after a power cut: of all that was written, only what was synced is sure.

A model of files and folders that programs see as they wrote them, and of the platter beneath. What
was not synced survives in part: some sectors of a file, in no order, and the first so many changes
of names. It is stricter than most file systems: an fsync of a file keeps its content and not
its name. For that its folder has to be synced, which keeps all changes of names until then.
"""

import errno
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

SECTOR: Final = 512
"""What a disk writes whole or not at all."""
SIZE: Final = 256 << 20
"""Bytes of the disk, as it says itself; nothing is refused beyond it."""
SURVIVE: Final = (0.0, 0.2, 0.5, 0.9)
"""The share of unsynced sectors that outlasts a cut: one of these, drawn at each."""
NAMES_LOST: Final = 0.5
"""How often a cut loses every change of names that was not synced."""

Change = tuple[tuple["Node", str, "Node | None"], ...]
"""Names that change together: in this folder, this name becomes that, or nothing."""


@dataclass(eq=False)
class Node:
    """A file or a folder: as programs see it, and as it lies on the platter."""

    mode: int
    data: bytearray = field(default_factory=bytearray)
    kept: bytes = b""
    unsynced: set[int] = field(default_factory=set)
    """Numbers of the sectors that were written since the last fsync."""
    changes: int = 0
    """How often its content was changed."""
    names: dict[str, "Node"] = field(default_factory=dict)
    kept_names: dict[str, "Node"] = field(default_factory=dict)

    @property
    def is_folder(self) -> bool:
        """Whether it has names instead of bytes."""
        return stat.S_ISDIR(self.mode)

    def write(self, data: bytes, at: int) -> int:
        """Write bytes; what lies between the end and these is zero."""
        if len(self.data) < at:
            self.resize(at)
        self.data[at : at + len(data)] = data
        self._touched(at, at + len(data))
        return len(data)

    def resize(self, length: int) -> None:
        """Cut it off there, or fill it up with zeros."""
        before = len(self.data)
        if length < before:
            del self.data[length:]
        else:
            self.data.extend(bytes(length - before))
        self._touched(min(before, length), max(before, length))

    def sync(self) -> None:
        """Keep its content, whatever happens."""
        self.kept = bytes(self.data)
        self.unsynced.clear()

    def survived(self, rng: Random, share: float) -> bytes:
        """Its content after a cut that this share of what was unsynced outlasts."""
        lucky = [it for it in sorted(self.unsynced) if rng.random() < share]
        size = len(self.kept)
        if len(self.data) < size and rng.random() < share:
            size = len(self.data)
        ends = [min(len(self.data), (it + 1) * SECTOR) for it in lucky]
        found = bytearray(self.kept[:size].ljust(max([size, *ends]), b"\0"))
        for it in lucky:
            part = self.data[it * SECTOR : min((it + 1) * SECTOR, len(found))]
            found[it * SECTOR : it * SECTOR + len(part)] = part
        return bytes(found)

    def _touched(self, begin: int, end: int) -> None:
        self.changes += 1
        if begin < end:
            self.unsynced.update(range(begin // SECTOR, (end - 1) // SECTOR + 1))


class LossyDisk:
    """Files by their paths, from a folder that is the platter. Errors are those of the system."""

    def __init__(self, platter: Path) -> None:
        self._platter = platter
        self._changes: list[Change] = []
        self.root = _loaded(platter)

    def find(self, path: str) -> Node:
        """The file or folder there. Raises OSError."""
        node = self.root
        for name in path.strip("/").split("/") if path != "/" else ():
            if name not in node.names:
                raise OSError(errno.ENOENT, "no such file", path)
            node = node.names[name]
        return node

    def add(self, path: str, mode: int) -> Node:
        """A new file or folder, whose name is not kept yet. Raises OSError."""
        folder, name = self._place(path)
        if name in folder.names:
            raise OSError(errno.EEXIST, "it exists", path)
        made = Node(mode)
        self._change(((folder, name, made),))
        return made

    def remove(self, path: str) -> None:
        """Remove a name; whoever has opened the file goes on with it. Raises OSError."""
        folder, name = self._place(path)
        if self.find(path).names:
            raise OSError(errno.ENOTEMPTY, "there is something in it", path)
        self._change(((folder, name, None),))

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in the place of what had it. Raises OSError."""
        node = self.find(old)
        (folder, was), (into, name) = self._place(old), self._place(new)
        self._change(((folder, was, None), (into, name, node)))

    def sync_names(self, folder: Node) -> None:
        """Keep the names in a folder, and with them every change of names before."""
        last = max((n for n, it in enumerate(self._changes) if folder in _folders(it)), default=-1)
        self._keep(last + 1)

    def cut(self, rng: Random) -> None:
        """Lose what is not synced, or a part of it, and leave the rest on the platter."""
        share = rng.choice(SURVIVE)
        self._keep(0 if rng.random() < NAMES_LOST else rng.randint(0, len(self._changes)))
        shutil.rmtree(self._platter)
        _leave(self._platter, self.root, rng, share)

    @property
    def free(self) -> int:
        """Bytes that are not taken."""
        return max(0, SIZE - sum(len(it.data) for it in _all(self.root)))

    def _place(self, path: str) -> tuple[Node, str]:
        above, _, name = path.rpartition("/")
        return self.find(above or "/"), name

    def _change(self, change: Change) -> None:
        self._changes.append(change)
        for folder, name, node in change:
            _put(folder.names, name, node)

    def _keep(self, count: int) -> None:
        for change in self._changes[:count]:
            for folder, name, node in change:
                _put(folder.kept_names, name, node)
        del self._changes[:count]


def _put(names: dict[str, Node], name: str, node: Node | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node


def _folders(change: Change) -> list[Node]:
    return [folder for folder, _, _ in change]


def _all(node: Node) -> Iterator[Node]:
    yield node
    for it in node.names.values():
        yield from _all(it)


def _loaded(path: Path) -> Node:
    """What is on the platter is what programs see at first."""
    node = Node(path.stat().st_mode)
    if path.is_dir():
        node.names = {it.name: _loaded(it) for it in path.iterdir()}
        node.kept_names = dict(node.names)
    else:
        node.kept = path.read_bytes()
        node.data = bytearray(node.kept)
    return node


def _leave(path: Path, node: Node, rng: Random, share: float) -> None:
    if node.is_folder:
        path.mkdir()
        for name, it in node.kept_names.items():
            _leave(path / name, it, rng, share)
    elif stat.S_ISREG(node.mode):
        path.write_bytes(node.survived(rng, share))
    else:
        return  # a socket is of no use to anybody after a cut
    path.chmod(stat.S_IMODE(node.mode))
