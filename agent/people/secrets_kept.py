"""Secrets that are shown once and kept as hashes: 256 random bits need no salt and no slow hash."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final, TypeAlias

RandomBytes: TypeAlias = Callable[[int], bytes]
BYTES: Final = 32


def new_secret(random_bytes: RandomBytes) -> str:
    """256 random bits in 43 characters that need no quoting in headers and shells."""
    return urlsafe_b64encode(random_bytes(BYTES)).rstrip(b"=").decode("ascii")


def key_of(secret: str) -> bytes:
    """What is kept of a secret, and looked up by: from it nobody makes the secret again."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def csrf_of(secret: str) -> str:
    """The token that a page sends back with each change: known only to whom the session is."""
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), b"csrf", "sha256").hex()
