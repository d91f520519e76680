"""Reads a multipart/form-data body, as browsers and httpx send files.

Sources: RFC 7578 (form-data), RFC 2046 section 5.1 (multipart), RFC 5987 (``filename*``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

_PARAMETER = re.compile(r';\s*([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


@dataclass(frozen=True, kw_only=True)
class FormPart:
    """One field; `filename` is None when it is no file."""

    name: str
    content: bytes
    filename: str | None = None

    @property
    def text(self) -> str:
        """The content as UTF-8."""
        return self.content.decode("utf-8", "replace")


def parse_form(content_type: str, body: bytes) -> dict[str, FormPart]:
    """Return the fields of a body by name. Raises `ValueError` for what is no such body."""
    kind, _, parameters = content_type.partition(";")
    boundary = _parameters(";" + parameters).get("boundary", "")
    if kind.strip().lower() != "multipart/form-data" or not boundary:
        raise ValueError(f"the body is {content_type!r}, not multipart/form-data with a boundary")
    mark = b"--" + boundary.encode("latin-1")
    if not body.startswith(mark) or body.find(b"\r\n" + mark + b"--") < 0:
        raise ValueError("the body does not begin and end with its boundary")
    return {part.name: part for part in map(_part, _pieces(body, mark))}


def _pieces(body: bytes, mark: bytes) -> list[bytes]:
    pieces = []
    start = len(mark)
    while not body.startswith(b"--", start):
        end = body.find(b"\r\n" + mark, start)
        if end < 0:
            raise ValueError("a part of the body has no end")
        pieces.append(body[start + 2 : end])
        start = end + 2 + len(mark)
    return pieces


def _part(piece: bytes) -> FormPart:
    head, blank, content = piece.partition(b"\r\n\r\n")
    headers = dict(_header(line) for line in head.decode("utf-8", "replace").split("\r\n"))
    found = _parameters(headers.get("content-disposition", ""))
    if not blank or "name" not in found:
        raise ValueError("a part of the body has no name")
    return FormPart(name=found["name"], content=content, filename=_filename(found))


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _parameters(text: str) -> dict[str, str]:
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) or bare
        for name, quoted, bare in _PARAMETER.findall(text)
    }


def _filename(found: dict[str, str]) -> str | None:
    """The name of a file. Browsers percent-encode quotes and line ends in it (WHATWG)."""
    if "filename*" in found:
        charset, _, rest = found["filename*"].partition("'")
        return unquote(rest.partition("'")[2], charset or "utf-8")
    plain = found.get("filename")
    return plain if plain is None else plain.replace("%22", '"')
