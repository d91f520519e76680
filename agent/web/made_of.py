"""What this agent is made of: versions and licences of what is installed. It reads files: use a thread."""

import sys
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from importlib.metadata import version as version_of
from pathlib import Path
from re import match
from typing import Any, Final

from drivers import catalogue

OURS: Final = "labkeeper"
LONGEST: Final = 80
"""Letters of a licence; some distributions have put the whole text there."""
HERE: Final = Path(__file__).resolve().parent
"""Where files of others lie that are served with the pages, each with its licence beside it."""


@cache
def made_of() -> dict[str, Any]:
    """Versions of the agent, Python, SQLite's and other libraries and the drivers, and licences."""
    return {
        "agent": version_of(OURS),
        "python": ".".join(map(str, sys.version_info[:3])),
        "libraries": sorted(_libraries(), key=lambda it: it["name"]),
        "drivers": _drivers(),
        "licences": [
            {"file": str(it.relative_to(HERE)), "text": it.read_text("utf-8", "replace")}
            for it in sorted(HERE.rglob("*LICEN[CS]E*"))
            if it.is_file()
        ],
    }


def _libraries() -> list[dict[str, str]]:
    """Those that the agent needs, as far as they are installed: an extra may not be."""
    found = {}
    for needed in distribution(OURS).requires or ():
        name = match(r"[A-Za-z0-9._-]+", needed)
        if name is None:
            continue
        try:
            found[name[0]] = distribution(name[0])
        except PackageNotFoundError:
            continue
    return [
        {"name": name, "version": it.version, "licence": _licence(it)} for name, it in found.items()
    ]


def _licence(its: Distribution) -> str:
    """As the distribution says it: an SPDX expression, or else the last word of a classifier."""
    about = its.metadata
    if said := about.get_all("License-Expression"):
        return str(said[0])
    if said := [it for it in about.get_all("Classifier") or () if it.startswith("License ::")]:
        return str(said[0]).rpartition(":: ")[2]
    return str((about.get_all("License") or [""])[0]).partition("\n")[0][:LONGEST]


def _drivers() -> list[dict[str, str]]:
    """Every name of the catalogue, and the distribution that it comes from."""
    ours = [{"name": it, "from": OURS, "version": version_of(OURS)} for it in catalogue.DRIVERS]
    plugins = [
        {
            "name": it.name,
            "from": it.dist.name if it.dist else "",
            "version": it.dist.version if it.dist else "",
        }
        for it in entry_points(group=catalogue.GROUP)
    ]
    return sorted([*ours, *plugins], key=lambda it: it["name"])
