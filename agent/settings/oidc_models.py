"""The key of a station's config about signing in at a provider of OpenID Connect."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from agent.settings.provider_address import secure_address
from agent.settings.section import Section, Title, doc
from agent.settings.values import File, Label, RoleName, Text

MOST_SCOPES: Final = 20
CREDENTIAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _credential(name: str) -> str:
    """The name of a credential, which is no path. Raises ValueError."""
    if not CREDENTIAL.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a credential: write it as in LoadCredential=NAME:"
        )
    return name


class Oidc(Section):
    """The provider of OpenID Connect where people may sign in, beside the station's own accounts."""

    issuer: Annotated[
        Text,
        doc("The provider's issuer, exactly as it calls itself: https://…."),
        AfterValidator(secure_address),
    ]
    client_id: Annotated[Text, doc("Who the station is there.")]
    client_secret_file: Annotated[
        File | None, doc("File whose first line is the secret; none for a public client.")
    ] = None
    client_secret_credential: Annotated[
        Annotated[Label, AfterValidator(_credential)] | None,
        doc("The same, as the name of a credential that systemd loads (LoadCredential=)."),
    ] = None
    scopes: Annotated[
        tuple[Label, ...],
        doc("What is asked for, beside openid.", strict=False, max_length=MOST_SCOPES),
    ] = ("profile",)
    roles_claim: Annotated[
        Text, doc("Claim of the id_token with a person's groups; a.b is b within a.")
    ] = "groups"
    roles: Annotated[
        dict[Text, RoleName],
        doc("The role of each group; the highest counts, and without one nobody signs in."),
        Field(min_length=1),
    ]
    label: Annotated[Title, doc("What people call the provider, on the button.")] = Title()
    ca_file: Annotated[
        File | None,
        doc("PEM file of the authorities that are believed for it; else the machine's."),
    ] = None


OIDC: Final[Any] = doc("Where people may sign in with OpenID Connect: needs labkeeper[oidc].")
