"""The provider of sign-ins: completed, and what of it is not there at present."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.languages.message import Message
from agent.settings.oidc_models import Oidc
from agent.settings.paths import is_there
from agent.settings.secret_files import secret_file

if TYPE_CHECKING:
    from agent.settings.station import Station

NEEDED: Final = ("authlib", "joserfc")


def complete_oidc(folder: Path, oidc: Oidc) -> Oidc:
    """The same with whole paths."""
    secret = oidc.client_secret_file and secret_file(folder, oidc.client_secret_file)
    files = {"client_secret_file": secret, "ca_file": oidc.ca_file and folder / oidc.ca_file}
    return oidc.model_copy(update=files)


def missing_of_oidc(station: Station) -> Iterator[str]:
    """Yield a sentence for each library or file that people could not sign in without."""
    oidc, file = station.api.oidc, station.file
    if oidc is None:
        return
    if any(find_spec(name) is None for name in NEEDED):
        yield Message(
            "{file}: api.oidc: signing in at {issuer} needs authlib: install labkeeper[oidc]",
            file=file,
            issuer=oidc.issuer,
        )
    if (secret := oidc.client_secret_file) and not is_there(str(secret)):
        yield Message(
            "{file}: api.oidc.client_secret_file: there is no file {secret} here now: write the "
            "secret there",
            file=file,
            secret=secret,
        )
    if oidc.ca_file and not is_there(str(oidc.ca_file)):
        yield Message(
            "{file}: api.oidc.ca_file: there is no file {path} here now",
            file=file,
            path=oidc.ca_file,
        )
