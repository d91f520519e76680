"""TLS for the door to other machines: a certificate and its key, read once at the start."""

import os
import ssl
import stat
from pathlib import Path

from agent.errors import CannotStart


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
        text = f"api.network: {certificate} and {key} are no certificate and its key: {why}"
        raise CannotStart(f"{text}; give PEM files that belong together") from error
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        which = next((it for it in (key, certificate) if not os.access(it, os.R_OK)), certificate)
        text = f"api.network: {which} can't be read: {why}"
        raise CannotStart(f"{text}; give the agent's user the right to it") from error
    except ValueError as error:
        raise CannotStart(f"api.network: {key}: {error}") from None
    if stat.S_IMODE(mode) & 0o007:
        text = f"api.network: {key} can be read or written by everybody on this machine"
        raise CannotStart(f"{text}: chmod o= {key}")
    return context


def _no_password() -> str:
    """Nobody is there to type it at a start. Raises ValueError."""
    raise ValueError("the key has a password, which nobody types at a start: give one without")
