"""A bundle of scripts/release: one file, or the folder that is in it.

SHA256SUMS names every other file in it with its hash, and SHA256SUMS.sig, where there is one, is
its signature by ssh-keygen(1). Everything is checked before anything of it is used.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from agent.install.signature import BadBundle, check_signature
from agent.install.versions import RELEASE, Release
from agent.languages.message import N_, Message

SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"
LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9_.+!/-]+)")
PIECE: Final = 1 << 20
Opener = Callable[[], "IO[bytes]"]


@dataclass(frozen=True)
class Bundle:
    """An open bundle whose every file was checked.

    Attributes:
        files: How to open each, by its path in the bundle.
        sums: The text of SHA256SUMS.
    """

    release: Release
    files: Mapping[str, Opener]
    sums: bytes

    @property
    def identity(self) -> str:
        """What tells it from every other one."""
        return hashlib.sha256(self.sums).hexdigest()

    def unpack(self, into: Path) -> None:
        """Write its files; each is checked again while it is copied.

        Not what says that a version is whole: that comes when it is.

        Raises:
            BadBundle: It has changed since it was checked.
            OSError: There is no room, or no right.
        """
        wanted = _listed(self.sums)
        for name, open_ in self.files.items():
            if name in wanted and name != RELEASE:
                (into / name).parent.mkdir(parents=True, exist_ok=True)
                with (into / name).open("wb") as file:
                    _check(name, open_, wanted[name], file)


@contextmanager
def opened(path: Path, signers: Path | None) -> Iterator[Bundle]:
    """Open a bundle and check it whole.

    Args:
        path: The file that scripts/release made, or the folder that is in it.
        signers: The file that says whose signature counts; None asks for none.

    Raises:
        BadBundle: It is none, is damaged, has too much or too little, or nobody trusted signed it.
    """
    try:
        if path.is_dir():
            yield _checked(path, _in_folder(path), signers)
            return
        with tarfile.open(path, "r:") as archive:
            yield _checked(path, _in_archive(archive, path), signers)
    except (OSError, tarfile.TarError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadBundle(
            Message("{path} can't be read as a bundle: {why}", path=path, why=why)
        ) from error


def _checked(path: Path, files: dict[str, Opener], signers: Path | None) -> Bundle:
    sums = _content(files, SUMS, path)
    wanted = _listed(sums)
    if signers is not None:
        signature = _content(files, SIGNATURE, path) if SIGNATURE in files else b""
        check_signature(sums, signature, signers, path)
    rest = {name: it for name, it in files.items() if name not in {SUMS, SIGNATURE}}
    if rest.keys() != wanted.keys():
        odd = sorted(rest.keys() ^ wanted.keys())[0]
        text = N_("{path} is not whole, or has too much in it: look at {odd}; nothing was changed")
        raise BadBundle(Message(text, path=path, odd=odd))
    for name, open_ in rest.items():
        _check(name, open_, wanted[name], None)
    release = Release.read(_content(files, RELEASE, path), f"{path}: {RELEASE}")
    return Bundle(release, files, sums)


def _content(files: dict[str, Opener], name: str, path: Path) -> bytes:
    if name not in files:
        text = N_("{path} is no bundle of labkeeper: it has no {name}; scripts/release makes one")
        raise BadBundle(Message(text, path=path, name=name))
    with files[name]() as file:
        return file.read(PIECE)


def _listed(sums: bytes) -> dict[str, str]:
    """Name and hash of each file. Raises BadBundle."""
    found = {}
    for line in sums.decode("utf-8", "replace").splitlines():
        parts = LINE.fullmatch(line)
        if parts is None or ".." in PurePosixPath(parts[2]).parts or parts[2].startswith("/"):
            raise BadBundle(
                Message("SHA256SUMS has a line that is none of its own: {line!r}", line=line)
            )
        found[parts[2]] = parts[1]
    return found


def _check(name: str, open_: Opener, wanted: str, copy: IO[bytes] | None) -> None:
    seen = hashlib.sha256()
    with open_() as file:
        while piece := file.read(PIECE):
            seen.update(piece)
            if copy is not None:
                copy.write(piece)
    if seen.hexdigest() != wanted:
        text = N_("{name} in the bundle is damaged: its SHA-256 differs; copy the bundle again")
        raise BadBundle(Message(text, name=name))


def _in_folder(folder: Path) -> dict[str, Opener]:
    found = (it for it in sorted(folder.rglob("*")) if not it.is_dir() or it.is_symlink())
    return {it.relative_to(folder).as_posix(): _file(it) for it in found}


def _file(path: Path) -> Opener:
    if path.is_symlink() or not path.is_file():
        raise BadBundle(Message("{path} is not a plain file: no bundle has others", path=path))
    return lambda: path.open("rb")


def _in_archive(archive: tarfile.TarFile, path: Path) -> dict[str, Opener]:
    """Its plain files, without the folder around them. Raises BadBundle where there are others."""
    found: dict[str, Opener] = {}
    for member in archive:
        if member.isdir():
            continue
        _, _, name = member.name.partition("/")
        if not member.isreg() or not name or name in found:
            text = N_("{path} has {name} in it, which no bundle has: nothing was changed")
            raise BadBundle(Message(text, path=path, name=member.name))
        found[name] = _member(archive, member)
    return found


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Opener:
    def open_() -> IO[bytes]:
        file = archive.extractfile(member)
        if file is None:  # plain files alone come here, and those open
            raise BadBundle(Message("{name} in the bundle can't be read", name=member.name))
        return file

    return open_
