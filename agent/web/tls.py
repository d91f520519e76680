"""TLS for the door to other machines: a certificate and its key, read once at the start."""

import os
import ssl
import stat
from pathlib import Path

from agent.errors import CannotStart
from agent.languages.message import N_, Message


def tls_of(certificate: Path, key: Path) -> ssl.SSLContext:
    """What the door speaks: TLS 1.2 and later, without compression or client certificates.

    Raises:
        CannotStart: A file can't be read, is none, does not fit the other, or others can read the key.
    """
    try:
        mode = key.stat().st_mode
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        why = (error.reason or str(error)).replace("_", " ").lower()
        raise CannotStart(
            Message(
                "api.network: {certificate} and {key} are no certificate and its key: {why}; "
                "give PEM files that belong together",
                certificate=str(certificate),
                key=str(key),
                why=why,
            )
        ) from error
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        which = next((it for it in (key, certificate) if not os.access(it, os.R_OK)), certificate)
        text = N_(
            "api.network: {which} can't be read: {why}; give the agent's user the right to it"
        )
        raise CannotStart(Message(text, which=str(which), why=why)) from error
    except ValueError:
        text = N_(
            "api.network: {key}: the key has a password, which nobody types at a start: "
            "give one without"
        )
        raise CannotStart(Message(text, key=str(key))) from None
    if stat.S_IMODE(mode) & 0o007:
        text = N_(
            "api.network: {key} can be read or written by everybody on this machine: chmod o= {key}"
        )
        raise CannotStart(Message(text, key=str(key)))
    return context


def _no_password() -> str:
    """Nobody is there to type it at a start. Raises ValueError."""
    raise ValueError
