"""Somebody for whom a provider of sign-ins vouches, as its claims say who it is. Pure.

What a claim holds is another's text: it is cut and spelled as names are here, and never believed to
be the name of an account.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.people.people_errors import BadName
from agent.people.spelling import BETWEEN, LONGEST_NAME, display_name, folded
from drivers import Role

LONGEST_SUBJECT: Final = 255
"""Characters, by OpenID Connect Core, section 2."""
MOST_GROUPS: Final = 10_000
OF_NOBODY: Final = "user"
"""The name of an account whose owner has none that could be taken."""
ROOM_FOR_NUMBER: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Vouched:
    """What a provider says of somebody, verified."""

    issuer: str
    subject: str
    """Who it is there, for ever; names change."""
    name: str
    """What their account would be called here."""
    display: str
    groups: frozenset[str]
    signed_in_at: float | None
    """When the provider last saw who it is, in seconds UTC; None where it does not say."""


def vouched(claims: Mapping[str, Any], issuer: str, roles_claim: str) -> Vouched:
    """What verified claims say. Raises ValueError where they do not say who it is."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise ValueError("sub")
    when = claims.get("auth_time")
    name = account_name(claims.get(key) for key in ("preferred_username", "email", "name"))
    return Vouched(
        issuer=issuer,
        subject=subject,
        name=name,
        display=_display(claims, name),
        groups=frozenset(_groups(claims, roles_claim)),
        signed_in_at=float(when) if isinstance(when, int | float) else None,
    )


def role_of(groups: Iterable[str], roles: Mapping[str, Role]) -> Role | None:
    """The highest role of these groups; None where none of them has one here."""
    return max((roles[group] for group in groups if group in roles), default=None)


def account_name(wishes: Iterable[object]) -> str:
    """What an account may be called by the first of these that has letters: `Kim@lab` is `kim`."""
    for wish in wishes:
        if isinstance(wish, str):
            text = folded(wish.partition("@")[0])
            signs = (it if it.isalnum() or it in BETWEEN else "-" for it in text)
            name = "".join(signs).strip("._-")[: LONGEST_NAME - ROOM_FOR_NUMBER].rstrip("._-")
            if name and unicodedata.is_normalized("NFC", name):
                return name
    return OF_NOBODY


def _display(claims: Mapping[str, Any], name: str) -> str:
    for key in ("name", "preferred_username", "email"):
        text = claims.get(key)
        try:
            return display_name(text) if isinstance(text, str) else _none()
        except BadName:
            continue
    return name


def _none() -> str:
    raise BadName


def _groups(claims: Mapping[str, Any], path: str) -> list[str]:
    """The values of a claim: one text or a list of them; `realm_access.roles` is one within another."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return [found]
    return (
        [it for it in found if isinstance(it, str)][:MOST_GROUPS] if isinstance(found, list) else []
    )
