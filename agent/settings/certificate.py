"""Certificates that the config names, as far as anybody has to look into them."""

from __future__ import annotations

import ssl
from pathlib import Path


def expiry_of(certificate: Path) -> float | None:
    """When the first certificate of a PEM file ends, in seconds UTC; None where it can't be read."""
    try:
        # The one function of the standard library that reads a certificate of one's own.
        told = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]  # noqa: SLF001
    except (OSError, ssl.SSLError):
        return None
    return float(ssl.cert_time_to_seconds(told["notAfter"]))
