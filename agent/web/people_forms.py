"""The JSON of people: sessions, users and tokens."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from agent.people.account import Account
from agent.people.session import SignedIn
from agent.people.tokens import LONGEST_DAYS, Tokens
from agent.public import utc_text
from agent.store.token_rows import TokenRow
from agent.web.forms import Moment, Role, config

USER: Final = {
    "name": "kim",
    "display": "김하나",
    "role": "technician",
    "enabled": True,
    "language": "ko",
    "since": "2026-11-28T08:30:00.000Z",
    "provider": "",
}
SESSION: Final = {
    "signed_in": True,
    "first": False,
    "name": "kim",
    "display": "김하나",
    "role": "technician",
    "locked": False,
    "language": "ko",
    "csrf": "5f1d2c",
}
TOKEN: Final = {
    "name": "night-report",
    "scope": "read",
    "owner": "lee",
    "since": "2026-11-28T08:30:00.000Z",
    "until": "2026-12-28T08:30:00.000Z",
    "counts": True,
}
PASSWORD: Final = "correct horse battery"  # noqa: S105 - of the documentation

Language = Literal["", "ko", "en"]
UserName = Annotated[str, Field(strict=True, min_length=1, max_length=80)]
Display = Annotated[str, Field(strict=True, max_length=200)]
Password = Annotated[str, Field(strict=True, max_length=1000)]


class SignIn(BaseModel):
    """Who wants to sign in."""

    model_config = config({"name": "kim", "password": PASSWORD})
    name: UserName
    password: Password


class PasswordAgain(BaseModel):
    """The password of whoever is signed in."""

    model_config = config({"password": PASSWORD})
    password: Password


class OwnPassword(BaseModel):
    """The password of whoever is signed in, and the one that takes its place."""

    model_config = config({"password": PASSWORD, "new": "battery staple correct"})
    password: Password
    new: Password


class OwnLanguage(BaseModel):
    """The language of whoever is signed in; empty where the browser decides."""

    model_config = config({"language": "ko"})
    language: Language


class FirstAdministrator(BaseModel):
    """The code from the log, and who the first administrator is."""

    model_config = config(
        {"code": "ABCD-EFGH-JKLM-NPQR", "name": "lee", "display": "이서준", "password": PASSWORD}
    )
    code: Annotated[str, Field(strict=True, max_length=100)]
    name: UserName
    password: Password
    display: Display = ""


class SessionForm(BaseModel):
    """Who is signed in with this browser. Nobody is an observer with empty names."""

    model_config = config(SESSION)
    signed_in: bool
    first: Annotated[bool, Field(description="Whether the first administrator has to be made.")]
    name: str
    display: str
    role: Role
    locked: Annotated[bool, Field(description="Whether acting takes the password again.")]
    language: Language
    csrf: Annotated[str, Field(description="For the header X-CSRF-Token of every change.")]


class CodeForm(BaseModel):
    """The code that makes the first administrator; empty where there is one."""

    model_config = config({"code": "ABCD-EFGH-JKLM-NPQR"})
    code: str


class NewUser(BaseModel):
    """A person who shall be able to sign in."""

    model_config = config(
        {"name": "kim", "display": "김하나", "role": "technician", "password": PASSWORD}
    )
    name: UserName
    role: Role
    password: Password
    display: Display = ""


class NewRole(BaseModel):
    """Another role."""

    model_config = config({"role": "engineer"})
    role: Role


class NewPassword(BaseModel):
    """Another password."""

    model_config = config({"password": "battery staple correct"})
    password: Password


class UserForm(BaseModel):
    """A person who may sign in, or could once."""

    model_config = config(USER)
    name: str
    display: str
    role: Role
    enabled: bool
    language: Language
    since: Moment
    provider: Annotated[
        str, Field(description="Where they sign in and have their role from; empty: here.")
    ]


class UsersForm(BaseModel):
    """Everybody, by name."""

    model_config = config({"users": [USER]})
    users: list[UserForm]


class NewToken(BaseModel):
    """A token for a program, and for how many days it counts."""

    model_config = config({"name": "night-report", "scope": "read", "days": 30})
    name: UserName
    scope: Literal["read", "jobs", "technician", "engineer", "qa"]
    days: Annotated[int, Field(strict=True, ge=1, le=LONGEST_DAYS)] = 90


class TokenForm(BaseModel):
    """A token, without itself."""

    model_config = config(TOKEN)
    name: str
    scope: str
    owner: Annotated[str, Field(description="Who made it; empty for the machine's administrator.")]
    since: Moment
    until: Moment
    counts: bool


class MadeToken(TokenForm):
    """A new token, which is shown this once."""

    model_config = config({**TOKEN, "token": "lk_dGhpcyBpcyBhbiBleGFtcGxlIG9mIGEgdG9rZW4uLi4"})
    token: str


class TokensForm(BaseModel):
    """All tokens, by name, those that count no more included."""

    model_config = config({"tokens": [TOKEN]})
    tokens: list[TokenForm]


def session_form(signed_in: SignedIn | None, *, first: bool) -> dict[str, Any]:
    """Who is signed in, for the answer."""
    if signed_in is None:
        nobody = {"name": "", "display": "", "role": "observer", "locked": False}
        return {"signed_in": False, "first": first, **nobody, "language": "", "csrf": ""}
    account = signed_in.account
    return {
        "signed_in": True,
        "first": first,
        "name": account.name,
        "display": account.display,
        "role": account.role.name.lower(),
        "locked": signed_in.locked,
        "language": account.language,
        "csrf": signed_in.csrf,
    }


def user_form(account: Account) -> dict[str, Any]:
    """An account, for the answer."""
    return {
        "name": account.name,
        "display": account.display,
        "role": account.role.name.lower(),
        "enabled": account.enabled,
        "language": account.language,
        "since": account.since,
        "provider": account.provider,
    }


def token_form(row: TokenRow, tokens: Tokens) -> dict[str, Any]:
    """A token, for the answer, without itself."""
    return {
        "name": row.name,
        "scope": row.scope,
        "owner": row.owner,
        "since": row.since,
        "until": utc_text(row.ends),
        "counts": tokens.counts(row),
    }
