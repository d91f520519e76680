"""The key of a station's config about signing in at a provider of OpenID Connect."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from agent.languages.message import N_
from agent.settings.provider_address import secure_address
from agent.settings.section import Section, Title, doc
from agent.settings.values import File, Label, RoleName, Text

MOST_SCOPES: Final = 20


class Oidc(Section):
    """The provider of OpenID Connect where people may sign in, beside the station's own accounts."""

    issuer: Annotated[
        Text,
        doc(N_("The provider's issuer, exactly as it calls itself: https://….")),
        AfterValidator(secure_address),
    ]
    client_id: Annotated[Text, doc(N_("Who the station is there."))]
    client_secret_file: Annotated[
        File | None, doc("File whose first line is the secret; none for a public client.")
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
        doc(N_("The role of each group; the highest counts, and without one nobody signs in.")),
        Field(min_length=1),
    ]
    label: Annotated[Title, doc("What people call the provider, on the button.")] = Title()
    ca_file: Annotated[
        File | None,
        doc("PEM file of the authorities that are believed for it; else the machine's."),
    ] = None


OIDC: Final[Any] = doc("Where people may sign in with OpenID Connect: needs labkeeper[oidc].")
