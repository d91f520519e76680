"""Sign-ins that have begun at a provider and not ended: each belongs to one browser, and ends once."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from agent.clock import Clock
from agent.people.secrets_kept import RandomBytes, key_of, new_secret
from agent.people.session import SignedIn

COUNTS_S: Final = 600.0
"""How long somebody may take at the provider."""
MOST: Final = 1000
MOST_OF_ADDRESS: Final = 100
"""One more ends the oldest: nobody keeps others from signing in by beginning often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What was sent along with a browser to the provider, and must come back."""

    state: str
    """Comes back in the address."""
    nonce: str
    """Comes back in the id_token."""
    verifier: str
    """What the code is worth something with (PKCE); never seen by the browser."""
    redirect: str
    """Where the provider sends the browser, exactly."""
    back: str
    """The page to go on with."""
    again: SignedIn | None
    """The session that goes on, where somebody only says again who they are."""
    asks: bool
    """Whether the provider was told to ask for the password, whoever it knows already."""
    address: str
    since: float
    """In seconds UTC."""
    until: float
    """Monotonic, in seconds."""


class Attempts:
    """All of them, in memory: a restart of the agent ends them."""

    def __init__(self, clock: Clock, random_bytes: RandomBytes) -> None:
        self._clock, self._random = clock, random_bytes
        self._attempts: OrderedDict[bytes, Attempt] = OrderedDict()

    def begin(
        self, redirect: str, back: str, address: str, *, again: SignedIn | None, asks: bool
    ) -> tuple[str, Attempt]:
        """The secret for the browser, and what is sent along with it."""
        state, nonce, verifier, secret = (new_secret(self._random) for _ in range(4))
        attempt = Attempt(
            state=state,
            nonce=nonce,
            verifier=verifier,
            redirect=redirect,
            back=back,
            again=again,
            asks=asks,
            address=address,
            since=self._clock.utc(),
            until=self._clock.monotonic() + COUNTS_S,
        )
        self._attempts[key_of(secret)] = attempt
        self._thin_out(address)
        return secret, attempt

    def back_of(self, secret: str) -> str:
        """The page to go on with of the one that this browser has begun; empty where none counts."""
        found = self._alive(secret)
        return found.back if found else ""

    def take(self, secret: str, state: str) -> Attempt | None:
        """The attempt of this browser with this state, once; None where it does not count."""
        found = self._alive(secret)
        given, kept = (
            it.encode("utf-8", "surrogatepass") for it in (state, found.state if found else "")
        )
        if found is None or not hmac.compare_digest(given, kept):
            return None
        return self._attempts.pop(key_of(secret))

    def _alive(self, secret: str) -> Attempt | None:
        found = self._attempts.get(key_of(secret))
        return found if found and self._clock.monotonic() < found.until else None

    def _thin_out(self, address: str) -> None:
        own = [key for key, it in self._attempts.items() if it.address == address]
        for key in (*own[:-MOST_OF_ADDRESS], *list(self._attempts)[:-MOST]):
            self._attempts.pop(key, None)
