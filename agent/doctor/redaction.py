"""What may not leave the station, taken out of texts: secrets always, names of people unless wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

LEFT_OUT: Final = "(left out)"
SHORTEST: Final = 4
"""A shorter text stands everywhere by chance; no secret of ours is that short."""
NOT_PEOPLE: Final = frozenset(
    {"root", "nobody", "labkeeper", "agent", "schedule", "station", "mqtt"}
)
ANY: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        r"\blk_[A-Za-z0-9_-]{8,}",  # tokens of programs
        r"\b[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}\b",  # the code of the first administrator
        r"\$argon2[^\s\"']*",
        r"(?i)(?<=bearer )[^\s\"']+",
        r"(?i)(?<=basic )[A-Za-z0-9+/=]{8,}",
        r"(?<=://)[^\s/@:\"']+:[^\s/@\"']+(?=@)",
        r"(?i)(?<=cookie: )[^\r\n\"]+",
    )
)
NAMED: Final = re.compile(
    r"(?i)([\w-]*(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|credential)\b[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&}\"']+)"
)
"""A word for a secret, and after = or : the secret. `password_file: x` names a file and is none."""


class Redaction:
    """Takes secrets and names out of texts. A person has the same number in all of them."""

    def __init__(self, secrets: Iterable[str], people: Iterable[str]) -> None:
        told = {form for it in secrets if len(it) >= SHORTEST for form in _forms(it)}
        known = {it for it in people if len(it) > 1 and it.lower() not in NOT_PEOPLE}
        self._secrets = sorted(told, key=len, reverse=True)
        self._people = {name: f"person-{at}" for at, name in enumerate(sorted(known), 1)}
        longest = sorted(self._people, key=len, reverse=True)
        self._names = re.compile("|".join(map(_whole, longest))) if longest else None

    def text(self, text: str) -> str:
        """The text without any of them."""
        for secret in self._secrets:
            text = text.replace(secret, LEFT_OUT)
        for pattern in ANY:
            text = pattern.sub(LEFT_OUT, text)
        text = NAMED.sub(_unnamed, text)
        if self._names is not None:
            text = self._names.sub(lambda found: self._people[found[0]], text)
        return text


def names_in(form: Any, keys: frozenset[str] = frozenset({"actor", "by"})) -> set[str]:
    """Who is named in an answer of the agent, under these keys at any depth."""
    found: set[str] = set()
    match form:
        case dict():
            for key, value in form.items():
                who = value.get("name") if isinstance(value, dict) else value
                if key in keys and isinstance(who, str) and who:
                    found.add(who)
                found |= names_in(value, keys)
        case list():
            for value in form:
                found |= names_in(value, keys)
    return found


def _forms(secret: str) -> set[str]:
    """It as it is, as JSON writes it, and as it stands in a URL."""
    in_json = {json.dumps(secret, ensure_ascii=it)[1:-1] for it in (True, False)}
    return {secret, *in_json, quote(secret), quote(secret, safe="")}


def _whole(name: str) -> str:
    """A name as a word. In Korean a particle follows without a space."""
    return rf"(?<!\w){re.escape(name)}(?!\w)" if name.isascii() else re.escape(name)


def _unnamed(found: re.Match[str]) -> str:
    quote = found[2][:1] if found[2][:1] in {'"', "'"} else ""
    return f"{found[1]}{quote}{LEFT_OUT}{quote}"
