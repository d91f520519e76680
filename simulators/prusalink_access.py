"""Who may talk to PrusaLink: HTTP Digest as user `maker`, or the password as `X-Api-Key`.

Sources: Prusa-Link-Web, spec/openapi.yaml (digestAuth); Prusa-Firmware-Buddy,
lib/WUI/nhttp/req_parser.cpp and status_page.cpp: Digest after RFC 2069, with MD5 and without qop; a
nonce is good for five seconds, and a right answer to an old one is told to be `stale`.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass, field
from typing import Final

REALM: Final = "Printer API"
USER: Final = "maker"
NONCE_S: Final = 5.0

_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^,\s]+))')


@dataclass
class Access:
    """Checks requests against one password. `now` is time in seconds, for the age of a nonce."""

    password: str
    now: float = 0.0
    _secret: int = field(default_factory=lambda: random.Random(2069).getrandbits(32))

    def refusal(self, method: str, target: str, headers: dict[str, str]) -> str | None:
        """Return None for who may, else the value of `WWW-Authenticate`.

        `target` is the path with its query, as it was sent; names of `headers` are lower case.
        """
        if "x-api-key" in headers:
            right = headers["x-api-key"] == self.password
            return None if right else f'ApiKey realm="{REALM}"'
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        found = {name: a or b for name, a, b in _PARAMETER.findall(rest)}
        nonce = found.get("nonce", "") if scheme.lower() == "digest" else ""
        right = bool(nonce) and found.get("response") == self._answer(method, target, nonce)
        if right and self._fresh(nonce):
            return None
        stale = "true" if right else "false"
        return f'Digest realm="{REALM}", nonce="{self._nonce()}", stale={stale}'

    def _answer(self, method: str, target: str, nonce: str) -> str:
        who = _md5(f"{USER}:{REALM}:{self.password}")
        return _md5(f"{who}:{nonce}:{_md5(f'{method}:{target}')}")

    def _nonce(self) -> str:
        return f"{self._secret:08x}{int(self.now * 1000):08x}"

    def _fresh(self, nonce: str) -> bool:
        try:
            secret, made = int(nonce[:8], 16), int(nonce[8:], 16) / 1000
        except ValueError:
            return False
        return secret == self._secret and 0 <= self.now - made < NONCE_S


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
