"""The provider of sign-ins: checked against itself, completed, and what of it is not there at present."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import Problem
from agent.settings.document import Document
from agent.settings.oidc_models import Oidc
from agent.settings.paths import is_there

if TYPE_CHECKING:
    from agent.settings.models import StationSettings
    from agent.settings.station import Station

CREDENTIALS: Final = "CREDENTIALS_DIRECTORY"
"""Where systemd says that the credentials of a service are, by systemd.exec(5)."""
OF_SERVICE: Final = Path("/run/credentials/labkeeper.service")
NEEDED: Final = ("authlib", "joserfc")


def check_oidc(document: Document, station: StationSettings) -> Iterator[Problem]:
    """Check what its types can't tell."""
    oidc = station.api.oidc
    if oidc is not None and oidc.client_secret_file and oidc.client_secret_credential:
        text = "there is client_secret_credential as well: give one of them"
        yield document.problem(("api", "oidc", "client_secret_file"), text)


def complete_oidc(folder: Path, oidc: Oidc) -> Oidc:
    """The same with whole paths. What is a credential is a file of the folder that systemd names."""
    name, secret = oidc.client_secret_credential, oidc.client_secret_file
    if name:
        secret = Path(os.environ.get(CREDENTIALS) or OF_SERVICE) / name
    files = {"client_secret_file": secret and folder / secret}
    return oidc.model_copy(update={**files, "ca_file": oidc.ca_file and folder / oidc.ca_file})


def missing_of_oidc(station: Station) -> Iterator[str]:
    """Yield a sentence for each library or file that people could not sign in without."""
    oidc, key = station.api.oidc, f"{station.file}: api.oidc"
    if oidc is None:
        return
    if any(find_spec(name) is None for name in NEEDED):
        yield f"{key}: signing in at {oidc.issuer} needs authlib: install labkeeper[oidc]"
    secret, name = oidc.client_secret_file, oidc.client_secret_credential
    if name and os.environ.get(CREDENTIALS) and not is_there(str(secret)):
        yield (
            f"{key}.client_secret_credential: the service was given no credential {name}: write "
            f"LoadCredential={name}:/etc/labkeeper/{name} into its unit"
        )
    elif secret and not name and not is_there(str(secret)):
        yield f"{key}.client_secret_file: there is no file {secret} here now: write the secret there"
    if oidc.ca_file and not is_there(str(oidc.ca_file)):
        yield f"{key}.ca_file: there is no file {oidc.ca_file} here now"
