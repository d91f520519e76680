"""What a request to a web server may carry, and what comes back."""

import json
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drivers.errors import BadReply


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request: its status (RFC 9110, 15), its headers in small letters, its text."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the request was accepted and done, 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """What the text says as JSON. Raises BadReply."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            raise BadReply(f"this is not JSON: {self.text[:200]!r}") from None


@dataclass(frozen=True, slots=True)
class Body:
    """A body of `size` bytes that is sent piece by piece. `pieces` begins it anew at each call."""

    size: int
    pieces: Callable[[], AsyncIterator[bytes]]
    media_type: str = "application/octet-stream"


def multipart(fields: Mapping[str, str], name: str, file: str, content: Body) -> Body:
    """A form with text fields and one file, as browsers send it (RFC 7578).

    Args:
        fields: Text by name of the field.
        name: Name of the field that has the file.
        file: What the file is called; quotes and line ends in it are escaped as HTML forms do.
        content: The file itself.
    """
    boundary = secrets.token_hex(16)  # nobody can have written it into a file beforehand
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    escaped = file.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{escaped}"\r\n'
        f"Content-Type: {content.media_type}\r\n\r\n"
    )
    head, tail = "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()

    async def pieces() -> AsyncIterator[bytes]:
        yield head
        async for piece in content.pieces():
            yield piece
        yield tail

    size = len(head) + content.size + len(tail)
    return Body(size, pieces, f"multipart/form-data; boundary={boundary}")


def without_secrets(text: str) -> str:
    """The text for the flight recorder, with keys, sessions and passwords of JSON left out."""
    return _SECRET.sub(r'\1"…"', text)


_SECRET = re.compile(
    r'("(?:api_?key|session|_?session_id|auth|token|access_token|refresh_token|password|csrf_token)"\s*:\s*)'
    r'"(?:[^"\\]|\\.)*"',
    re.IGNORECASE,
)
