"""The JSON of what the agent is: its versions, its config, and how it is."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from agent.web.forms import Moment, config

LIBRARY: Final[dict[str, Any]] = {"name": "pyserial", "version": "3.5", "licence": "BSD License"}
DRIVER: Final[dict[str, Any]] = {
    "name": "autonics.tk4",
    "from": "labkeeper",
    "version": "0.1.0",
}
LICENCE: Final[dict[str, Any]] = {"file": "static/LICENSE.txt", "text": "MIT License …"}
CONFIG: Final[dict[str, Any]] = {
    "file": "/etc/labkeeper/station.yaml",
    "sha256": "9f86" * 16,
    "read": "2026-11-28T00:15:02.004Z",
}
DATABASE: Final[dict[str, Any]] = {"recording": True, "readable": True, "why": ""}
DISK: Final[dict[str, Any]] = {"free": 81_200_000_000, "ratio": 0.63, "words": "63 % is free"}
WRITTEN: Final[dict[str, Any]] = {"topic": "lab/v1/bench-3/reply/doctor", "denied": ""}
HEALTH: Final[dict[str, Any]] = {
    "uptime": 3605.2,
    "loop_lag": 0.0004,
    "database": DATABASE,
    "disk": DISK,
    "broker": "connected",
    "clock_synced": True,
    "written": WRITTEN,
}
ABOUT: Final[dict[str, Any]] = {
    "station": "bench-3",
    "agent": "0.1.0",
    "python": "3.11.2",
    "libraries": [LIBRARY],
    "drivers": [DRIVER],
    "licences": [LICENCE],
    "config": CONFIG,
    "health": HEALTH,
}


class LibraryForm(BaseModel):
    """A library that the agent needs, as it is installed."""

    model_config = config(LIBRARY)

    name: str
    version: str
    licence: Annotated[str, Field(description="As it says of itself.")]


class OriginForm(BaseModel):
    """A driver of the catalogue, and where it comes from."""

    model_config = config(DRIVER)

    name: str
    from_: Annotated[str, Field(alias="from", description="The distribution that has it.")]
    version: Annotated[str, Field(description="Of that.")]


class LicenceForm(BaseModel):
    """The licence of files that others wrote and the agent serves."""

    model_config = config(LICENCE)

    file: str
    text: str


class ConfigForm(BaseModel):
    """The config in force."""

    model_config = config(CONFIG)

    file: str
    sha256: Annotated[
        str | None,
        Field(description="Of its files in order, as the ledger has it; null without a ledger."),
    ]
    read: Annotated[Moment, Field(description="When it was taken over.")]


class DatabaseForm(BaseModel):
    """What records and what reads."""

    model_config = config(DATABASE)

    recording: Annotated[bool, Field(description="Whether there is a ledger to record in.")]
    readable: Annotated[bool, Field(description="Whether it could be read just now.")]
    why: Annotated[str, Field(description="Why not; empty if it could.")]


class DiskForm(BaseModel):
    """The disk of the state folder."""

    model_config = config(DISK)

    free: Annotated[float, Field(description="Bytes that the agent may still write.")]
    ratio: Annotated[float, Field(description="The same as a part of the disk.")]
    words: str


class WrittenForm(BaseModel):
    """What the broker answered to an empty message on a topic of the station's own."""

    model_config = config(WRITTEN)

    topic: str
    denied: Annotated[
        str | None,
        Field(description="Why it does not take it; empty if it does, null if that was not told."),
    ]


class HealthForm(BaseModel):
    """How the agent is. Durations are in seconds."""

    model_config = config(HEALTH)

    uptime: Annotated[float | None, Field(description="Since it was started.")]
    loop_lag: Annotated[float, Field(description="The longest that it came late within 0.1 s.")]
    database: DatabaseForm
    disk: Annotated[DiskForm | None, Field(description="null where that is not known just now.")]
    broker: Annotated[
        Literal["connected", "disconnected", "off"],
        Field(description="off where config has none."),
    ]
    clock_synced: Annotated[
        bool | None,
        Field(description="Whether a time service keeps the clock in step; null if nobody tells."),
    ]
    written: Annotated[
        WrittenForm | None,
        Field(description="Where `write` asked for it; null without a broker."),
    ]


class AboutForm(BaseModel):
    """What the agent is, and how it is."""

    model_config = config(ABOUT)

    station: str
    agent: Annotated[str, Field(description="Its version.")]
    python: str
    libraries: list[LibraryForm]
    drivers: list[OriginForm]
    licences: Annotated[list[LicenceForm], Field(description="Of files that are served.")]
    config: ConfigForm | None
    health: HealthForm
