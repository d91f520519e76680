"""What writes into the ledger: this boot, this version of the agent, and the config in force."""

import hashlib
from importlib.metadata import version
from pathlib import Path

from agent.settings import Station as Settings
from agent.store.boot import boot_id
from agent.store.entries import Provenance


def provenance(settings: Settings) -> Provenance:
    """What writes: this boot, this version, and the SHA-256 of the config's files in order."""
    return Provenance(
        boot_id=boot_id(),
        software_version=version("labkeeper"),
        config_hash=config_hash(settings),
    )


def config_hash(settings: Settings) -> str:
    """The SHA-256 of the config's files in order; a file that has gone meanwhile counts as empty."""
    places = {device.place.rpartition(":")[0] for device in settings.devices.values()}
    digest = hashlib.sha256()
    for file in sorted({str(settings.file), *places}):
        digest.update(_content(Path(file)))
    return digest.hexdigest()


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""
