"""Which addresses a provider of sign-ins may have: behind TLS, or on this very machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from agent.languages.message import Message


def secure_address(text: str) -> str:
    """The address as it is. Raises ValueError, with a sentence, where others could listen or answer."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    is_plain = host and "@" not in parts.netloc and not parts.query and not parts.fragment
    if not is_plain or any(sign.isspace() for sign in text):
        raise ValueError(
            Message(
                "{text!r} is not an address such as https://login.lab.example/realms/lab", text=text
            )
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise ValueError(
            Message(
                "{text!r} can be read and answered by others on the way: write https://… "
                "(http:// goes for this machine alone)",
                text=text,
            )
        )
    return text


def is_secure(text: object) -> bool:
    """Whether something is such an address."""
    try:
        return isinstance(text, str) and bool(secure_address(text.partition("?")[0]))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
