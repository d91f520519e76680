"""A config as others may see it: its keys and values without comments, and of secrets the files' names alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.doctor.redaction import LEFT_OUT
from agent.settings.document import read_document
from agent.settings.secret_files import secret_file

OF_FILES: Final = re.compile(r".*_file|key|certificate|authority")
PUBLIC: Final = frozenset({"certificate", "authority"})
OF_SECRETS: Final = re.compile(r"(?i).*(passw|passphrase|secret|token|api_?key|credential).*")
MOST_BYTES: Final = 65_536
"""Of a secret's file; what is larger holds no password."""


@dataclass
class Shown:
    """Files of a config by their names, and the secrets that were met on the way."""

    files: dict[str, Any] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)


def shown(files: list[Path], state: Path | None) -> Shown:
    """Read these files, the station's own first. Raises ConfigError where one is no YAML."""
    found = Shown()
    folder = files[0].parent
    for file in files:
        data = read_document(file).data
        found.files[file.name] = _shown(data, [folder, *([state] if state else [])], found.secrets)
    for file in (folder / "secrets", *([state / "api-token"] if state else [])):
        for each in _plain_files(file):
            found.secrets.update(secrets_in(each))
    return found


def secrets_in(file: Path) -> Iterator[str]:
    """Each line of a file that holds a secret; none where it can't be read."""
    try:
        text = file.read_bytes()[:MOST_BYTES].decode("utf-8", "replace")
    except OSError:
        return
    yield from (line.strip() for line in text.splitlines() if not line.startswith("-----"))


def _shown(data: Any, folders: list[Path], secrets: set[str]) -> Any:
    match data:
        case dict():
            return {key: _value(str(key), it, folders, secrets) for key, it in data.items()}
        case list():
            return [_shown(it, folders, secrets) for it in data]
    return data


def _value(key: str, value: Any, folders: list[Path], secrets: set[str]) -> Any:
    if not isinstance(value, str):
        return _shown(value, folders, secrets)
    if OF_FILES.fullmatch(key):
        places = [secret_file(folder, Path(value)) for folder in folders]
        there = [it for it in places if _may_be_there(it)]
        if there or key in PUBLIC:
            if key not in PUBLIC:
                secrets.update(line for it in there for line in secrets_in(it))
            return Path(value).name
    elif not OF_SECRETS.fullmatch(key):
        return value
    secrets.add(value)  # somebody has written the secret itself where its file belongs
    return LEFT_OUT


def _may_be_there(file: Path) -> bool:
    try:
        return file.is_file()
    except PermissionError:
        return True
    except (OSError, ValueError):  # no file system takes such a name
        return False


def _plain_files(place: Path) -> list[Path]:
    try:
        return [it for it in place.iterdir() if it.is_file()] if place.is_dir() else [place]
    except OSError:
        return []
