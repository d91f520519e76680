"""The program that mounts a disk which loses power: `python -m benchmarks.lossy_mount PLATTER PLACE`.

It says `ready` once it is mounted. `read-only` on its input lets it refuse every change, and `writable`
ends that; it repeats the word when it is so. `cut SEED` on its input is the power cut: it leaves on the
platter what outlasts that, says `cut`, and answers nobody any more until it is killed.
"""

import errno
import functools
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import mfusepy  # type: ignore[import-untyped]

from benchmarks.lossy_disk import SECTOR, SIZE, LossyDisk, Node

READ_ONLY: Final = "the disk is read-only"
CHANGES: Final = frozenset(
    [
        "create",
        "mknod",
        "mkdir",
        "write",
        "truncate",
        "fallocate",
        "rename",
        "unlink",
        "rmdir",
        "chmod",
        "chown",
        "utimens",
    ]
)


class Power:
    """What every access needs. Once it is taken away, nobody gets on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def needed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, as long as there is power."""

        @functools.wraps(work)
        def done(*arguments: Any) -> Any:
            with self._lock:
                return work(*arguments)

        return done

    def cut(self) -> None:
        """Take it away, between two accesses, for good."""
        self._lock.acquire()


class Mounted(mfusepy.Operations):  # type: ignore[misc]
    """A disk as the kernel asks for it: each method is the system call of that name."""

    use_ns = True

    def __init__(self, disk: LossyDisk, power: Power) -> None:
        self._disk = disk
        self._open: dict[int, Node] = {}
        self._next = 0
        self.is_read_only = False
        self._begun = time.time_ns()  # noqa: TID251 - of files that programs look at
        for name in CALLS:
            call = getattr(self, name)
            setattr(self, name, power.needed(self._change(call) if name in CHANGES else call))

    def init(self, path: str) -> None:
        _say("ready")

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        node = self._node(path, fh)
        # The kernel reads a file anew when its time has changed, and only then.
        changed = self._begun + node.changes
        times = dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), changed)
        mine = {"st_uid": os.getuid(), "st_gid": os.getgid()}
        return {"st_mode": node.mode, "st_nlink": 1, "st_size": len(node.data), **times, **mine}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *self._disk.find(path).names]

    def open(self, path: str, flags: int) -> int:
        node = self._disk.find(path)
        if self.is_read_only and flags & os.O_ACCMODE != os.O_RDONLY:
            raise OSError(errno.EROFS, READ_ONLY, path)
        if flags & os.O_TRUNC:
            node.resize(0)
        return self._opened(node)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        return self._opened(self._disk.add(path, stat.S_IFREG | stat.S_IMODE(mode)))

    def mknod(self, path: str, mode: int, dev: int) -> int:
        self._disk.add(path, mode)
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        self._disk.add(path, stat.S_IFDIR | stat.S_IMODE(mode))
        return 0

    def release(self, path: str, fh: int) -> int:
        del self._open[fh]
        return 0

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        return bytes(self._node(path, fh).data[offset : offset + size])

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return self._node(path, fh).write(data, offset)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        self._node(path, fh).resize(length)
        return 0

    def fallocate(self, path: str, mode: int, offset: int, size: int, fh: int) -> int:
        node = self._node(path, fh)
        node.resize(max(len(node.data), offset + size))
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._node(path, fh).sync()
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self._disk.sync_names(self._disk.find(path))
        return 0

    def rename(self, old: str, new: str) -> int:
        self._disk.rename(old, new)
        return 0

    def unlink(self, path: str) -> int:
        self._disk.remove(path)
        return 0

    def rmdir(self, path: str) -> int:
        self._disk.remove(path)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        node = self._disk.find(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        free = self._disk.free // SECTOR
        sizes = {"f_bsize": SECTOR, "f_frsize": SECTOR, "f_blocks": SIZE // SECTOR}
        return {**sizes, "f_bfree": free, "f_bavail": free, "f_namemax": 255}

    def _change(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def done(path: str, *arguments: Any) -> Any:
            if self.is_read_only:
                raise OSError(errno.EROFS, READ_ONLY, path)
            return work(path, *arguments)

        return done

    def _node(self, path: str, fh: int | None) -> Node:
        return self._disk.find(path) if fh is None else self._open[fh]

    def _opened(self, node: Node) -> int:
        self._next += 1
        self._open[self._next] = node
        return self._next


CALLS = [
    name for name in vars(Mounted) if not name.startswith("_") and name not in {"init", "use_ns"}
]


def _follow(disk: LossyDisk, mounted: Mounted, power: Power) -> None:
    """Do as the words of the input say; without whoever started this program there is no use in it."""
    for line in sys.stdin:
        match line.split():
            case ["cut", *seed]:
                power.cut()
                disk.cut(Random(" ".join(seed)))
                _say("cut")
            case [("read-only" | "writable") as word]:
                mounted.is_read_only = word == "read-only"
                _say(word)
            case _:
                break
    os._exit(0)  # the kernel then answers whoever still waits


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main(platter: Path, place: Path) -> None:
    """Serve until the power is cut. The kernel keeps nothing of names and attributes."""
    disk, power = LossyDisk(platter), Power()
    mounted = Mounted(disk, power)
    threading.Thread(target=_follow, args=(disk, mounted, power), daemon=True).start()
    never = {"entry_timeout": 0, "attr_timeout": 0, "negative_timeout": 0}
    alone = {"foreground": True, "nothreads": True, "hard_remove": True, "auto_cache": True}
    mfusepy.FUSE(mounted, str(place), fsname="lossy", **alone, **never)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
