"""Where the secrets are that the config names: beside it, or where systemd has put them.

A unit with `LoadCredential=secrets:/etc/labkeeper/secrets` gets each file of that folder as a
credential of its own, called after the folder and the file: secrets/mqtt-password is then
`secrets_mqtt-password` in $CREDENTIALS_DIRECTORY, and the file itself may be root's alone.
Source: systemd.exec(5), Credentials.
"""

import os
from collections.abc import Mapping
from pathlib import Path

DIRECTORY = "CREDENTIALS_DIRECTORY"


def secret_file(folder: Path, name: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The file of a secret that the config in this folder names.

    A credential comes before a file of the config's folder; an absolute path is taken as it is.
    """
    given = environment.get(DIRECTORY, "")
    credential = Path(given) / "_".join(name.parts)
    if given and not name.is_absolute() and credential.is_file():
        return credential
    return folder / name
