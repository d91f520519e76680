"""Who we say we are to a host on the network: a key, or a user and a password."""

from dataclasses import dataclass
from pathlib import Path

from drivers.errors import ConnectFailed


@dataclass(frozen=True, slots=True)
class Access:
    """Where the secrets are. They are read when a link opens, and kept nowhere else.

    Attributes:
        user: Name for HTTP Digest (RFC 7616); "" where only a key is needed.
        password_file: File whose first line is the password.
        key_file: File whose first line is the key that goes into the header `X-Api-Key`.
    """

    user: str = ""
    password_file: Path | None = None
    key_file: Path | None = None

    def password(self) -> str:
        """The password, "" for none. Raises ConnectFailed."""
        return _first_line(self.password_file, "password_file")

    def key(self) -> str:
        """The key, "" for none. Raises ConnectFailed."""
        return _first_line(self.key_file, "key_file")


def _first_line(path: Path | None, what: str) -> str:
    if path is None:
        return ""
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConnectFailed(f"access.{what}: {path} can't be read: {why}") from error
    line = text.partition("\n")[0].strip()
    if not line or not line.isprintable() or not line.isascii():
        raise ConnectFailed(f"access.{what}: the first line of {path} is no password and no key")
    return line
