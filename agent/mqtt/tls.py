"""TLS to the broker: whom the agent believes, and how it proves which station it is.

Read anew for every connection, so that a renewed certificate is used from the next one on.
"""

from __future__ import annotations

import os
import ssl
import stat
from typing import TYPE_CHECKING, Final

from agent.errors import ConfigError, Problem
from agent.languages.message import N_, Message
from agent.settings.document import reason

if TYPE_CHECKING:
    from pathlib import Path

    from agent.settings import BrokerTls

REFUSALS: Final = {
    "CERTIFICATE_REQUIRED": N_("it asks for a certificate: give mqtt.tls.certificate and key"),
    "UNKNOWN_CA": N_("it does not know who signed mqtt.tls.certificate"),
    "CERTIFICATE_EXPIRED": N_("mqtt.tls.certificate is past its last day: renew it"),
    "CERTIFICATE_REVOKED": N_("mqtt.tls.certificate was revoked: ask for a new one"),
    "WRONG_VERSION_NUMBER": N_(
        "it does not speak TLS at this port: correct port, or leave tls out"
    ),
    "PROTOCOL_VERSION": N_("it does not speak TLS 1.3, and nothing older is spoken"),
}
"""What the alerts of a broker mean (RFC 8446, section 6.2), by the end of OpenSSL's names for them."""


def tls_to_broker(settings: BrokerTls) -> ssl.SSLContext:
    """TLS 1.3 that checks the broker's name and certificate, and shows the station's own if given.

    Raises:
        ConfigError: A file can't be read, is none, does not fit the other, or others can read the key.
    """
    for name, file in settings.files():
        _see(name, file)
    try:
        context = ssl.create_default_context(cafile=settings.authority)
    except ssl.SSLError:
        text = N_("is no certificate: give a PEM file of who signed the broker's")
        raise _unfit("authority", settings.authority, Message(text)) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = _ClosedIfRefused
    if settings.certificate is None:
        return context
    try:
        context.load_cert_chain(settings.certificate, settings.key, password=_no_password)
    except ssl.SSLError as error:
        why = (error.reason or str(error)).replace("_", " ").lower()
        text = N_(
            "and {key} are no certificate and its key: {why}; give PEM files that belong together"
        )
        raise _unfit(
            "certificate", settings.certificate, Message(text, key=str(settings.key), why=why)
        ) from None
    except ValueError:
        text = N_("has a password, which nobody types at a start: give one without")
        raise _unfit("key", settings.key, Message(text)) from None
    return context


class _ClosedIfRefused(ssl.SSLSocket):
    """The MQTT library leaves a socket open whose handshake fails."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def _see(name: str, file: Path) -> None:
    """See that a file can be read, and a key by few. Raises ConfigError."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
    except OSError as error:
        raise _unfit(
            name, file, Message(N_("can't be read: {reason}"), reason=reason(error))
        ) from None
    if name == "key" and stat.S_IMODE(mode) & 0o007:
        text = N_("can be read or written by everybody on this machine: chmod o= {file}")
        raise _unfit(name, file, Message(text, file=str(file)))


def _unfit(name: str, file: Path | None, text: Message) -> ConfigError:
    return ConfigError([Problem(str(file), 0, 0, f"mqtt.tls.{name}", text)])


def _no_password() -> str:
    """Nobody is there to type it at a start. Raises ValueError."""
    raise ValueError


def refusal(reason: str) -> Message | str:
    """What the words of the TLS library mean for a person; other words as they are."""
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        why = reason.partition("certificate verify failed: ")[2].partition(" (_ssl.c")[0]
        return Message(N_("its certificate is not to be believed: {why}"), why=why or reason)
    return next((Message(text) for sign, text in REFUSALS.items() if sign in reason), reason)
