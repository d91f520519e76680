"""The files that pages need in a browser: read at import, compressed once, served from memory.

Their address holds a hash of them all, so that a browser may keep them for good: after an update
of the agent the address is another. Nothing is fetched from elsewhere, and nothing from the disk
by a name that a client sent.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response

from agent.web.problems import Problem

FOLDER: Final = Path(__file__).parent / "static"
KINDS: Final = MappingProxyType(
    {
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
TOGETHER: Final = MappingProxyType(
    {"style.css": ("vendor/pico.min.css", "console.css", "person.css")}
)
"""Files that every page needs before it can be painted, as one: each of its own asks for a connection first."""
FOR_GOOD: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Vendored:
    """A file of somebody else's: where it is from, under which licence, and what it must be."""

    package: str
    version: str
    licence: str
    licence_file: str
    sha256: str


VENDORED: Final = MappingProxyType(
    {
        "vendor/htmx.min.js": Vendored(
            *("htmx.org", "4.0.1", "0BSD", "vendor/htmx.LICENSE"),
            "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
        ),
        "vendor/pico.min.css": Vendored(
            *("@picocss/pico", "2.1.1", "MIT", "vendor/pico.LICENSE.md"),
            "fbc9a63fc9fc9f72d12fd7fc9806e11fa9f77ae4f9cad146b27003a1119ba3db",
        ),
        "vendor/uPlot.iife.min.js": Vendored(
            *("uplot", "1.6.32", "MIT", "vendor/uPlot.LICENSE"),
            "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
        ),
        "vendor/uPlot.min.css": Vendored(
            *("uplot", "1.6.32", "MIT", "vendor/uPlot.LICENSE"),
            "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
        ),
    }
)
"""From npm, byte for byte. Kept in the repository, for a lab may have no network."""


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    plain: bytes
    gzipped: bytes


def _read() -> Mapping[str, _File]:
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in KINDS:
            plain = path.read_bytes()
            found[path.relative_to(FOLDER).as_posix()] = _file(path.suffix, plain)
    for name, parts in TOGETHER.items():
        whole = b"\n".join(found[part].plain for part in parts)
        found[name] = _file(Path(name).suffix, whole)
    return MappingProxyType(found)


def _file(suffix: str, plain: bytes) -> _File:
    return _File(KINDS[suffix], plain, gzip.compress(plain, 9, mtime=0))


FILES: Final = _read()
DIGEST: Final = sha256(b"".join(it.plain for it in FILES.values())).hexdigest()[:16]

assets = APIRouter(include_in_schema=False)


def address(name: str) -> str:
    """Where a page finds one of the files. Raises KeyError where there is none of this name."""
    FILES[name]
    return f"/static/{DIGEST}/{name}"


@assets.get("/static/{digest}/{name:path}")
async def static(
    digest: str, name: str, accept_encoding: Annotated[str, Header()] = ""
) -> Response:
    """One of the files, for good where the hash is today's."""
    file = FILES.get(name)
    if file is None:
        raise Problem("no-such", "there is no such file; reload the page")
    headers = {"Vary": "Accept-Encoding"}
    if digest == DIGEST:
        headers["Cache-Control"] = FOR_GOOD
    if "gzip" in accept_encoding:
        headers["Content-Encoding"] = "gzip"
        return Response(file.gzipped, media_type=file.kind, headers=headers)
    return Response(file.plain, media_type=file.kind, headers=headers)
