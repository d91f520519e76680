"""The config's keys: meaning, type, range and default. Durations are seconds.

These models are the border: they know nothing of files, positions or drivers. The JSON Schema for
editors is generated from them. Paths that the agent reads are relative to the station's file;
paths that it writes are relative to `state`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from agent.languages.message import N_
from agent.settings.alarm_models import ALARMS, OFFLINE_ALARM, AlarmSettings
from agent.settings.cover_models import CoverSettings
from agent.settings.disk_models import Disk
from agent.settings.doors import Api, Console, Log, Metrics, Mqtt, Reconnect
from agent.settings.interlock_models import InterlockSettings
from agent.settings.run_models import RunFormats, RunsFolder
from agent.settings.schedule_models import ScheduleSettings
from agent.settings.section import Section, Title
from agent.settings.section import doc as _doc
from agent.settings.values import (
    Code,
    Day,
    End,
    File,
    Poll,
    Reach,
    ScriptLine,
    Seconds,
    Text,
)
from drivers.catalogue import DRIVERS

STATION_NAME = r"^[a-z0-9-]{1,40}$"
DEVICE_NAME = r"^[a-z][a-z0-9_]{0,39}$"
MOST_LINES: Final = 50
"""In a list of codes or of G-code."""
MOST_FEED: Final = 1_000_000.0
"""mm/min; what is above is a slip of the pen."""
MOST_C: Final = 500.0
"""°C; a printer's own limit is lower."""


class LimitSettings(Section):
    """A range narrower than the model's, in the unit of the setting or argument."""

    low: Annotated[End | None, _doc("Lowest value allowed; the model's if not given.")] = None
    high: Annotated[End | None, _doc("Highest value allowed; the model's if not given.")] = None


class TimeoutSettings(Section):
    """How long to wait, in seconds; what is not given is the driver's own."""

    turn: Annotated[Seconds | None, _doc("For the link to be free.")] = None
    first_byte: Annotated[Seconds | None, _doc("From a request to its reply's first byte.")] = None
    next_byte: Annotated[Seconds | None, _doc("Between two bytes of a reply.")] = None
    whole: Annotated[Seconds | None, _doc("From a request to the end of its reply.")] = None


class RegisterSettings(Section):
    """How much of a Modbus device is asked for at once, where it takes less than its model."""

    most: Annotated[
        int | None, _doc("Registers asked for in one request, at most.", ge=1, le=125)
    ] = None
    gap: Annotated[
        int | None,
        _doc("Registers without a use here that may be read along; 0: none.", ge=0, le=123),
    ] = None


class VolumeSettings(Section):
    """Where the nozzle of a printer may go, in mm; an axis that is not given is not looked at."""

    x: Annotated[Reach | None, _doc("[low, high] along X, mm.")] = None
    y: Annotated[Reach | None, _doc("[low, high] along Y, mm.")] = None
    z: Annotated[Reach | None, _doc("[low, high] along Z, mm.")] = None


class BufferSettings(Section):
    """How much a printer's firmware takes in before it answers, as it was built."""

    lines: Annotated[int, _doc(N_("Lines that its command queue holds (BUFSIZE)."), ge=1, le=1024)]
    bytes: Annotated[
        int, _doc(N_("Bytes that its receive buffer holds (RX_BUFFER_SIZE)."), ge=16, le=65536)
    ]


Codes: TypeAlias = Annotated[tuple[Code, ...], Field(strict=False, max_length=MOST_LINES)]
Script: TypeAlias = Annotated[tuple[ScriptLine, ...], Field(strict=False, max_length=MOST_LINES)]


class PrinterSettings(Section):
    """What files a printer may get, and what is done around a print. For printers alone."""

    volume: Annotated[VolumeSettings, _doc("Where a file may move the nozzle, mm.")] = (
        VolumeSettings()
    )
    feed: Annotated[
        float | None,
        _doc("Highest feed that a file may ask for, mm/min.", gt=0, le=MOST_FEED),
    ] = None
    nozzle: Annotated[
        float | None, _doc("Highest nozzle temperature of a file, °C.", gt=0, le=MOST_C)
    ] = None
    bed: Annotated[
        float | None, _doc("Highest bed temperature of a file, °C.", gt=0, le=MOST_C)
    ] = None
    chamber: Annotated[
        float | None, _doc("Highest chamber temperature of a file, °C.", gt=0, le=MOST_C)
    ] = None
    allow: Annotated[Codes, _doc("Codes taken although no printer gets them, such as M500.")] = ()
    forbid: Annotated[Codes, _doc("Codes that are refused, such as M600.")] = ()
    pause: Annotated[
        Script | None, _doc("G-code that moves the head aside; else the driver's own.")
    ] = None
    resume: Annotated[Script | None, _doc("G-code that brings it back; else the driver's own.")] = (
        None
    )
    cancel: Annotated[
        Script | None, _doc("G-code after a print that was cancelled; else none.")
    ] = None
    buffers: Annotated[
        BufferSettings | None,
        _doc("The firmware's buffers; without them lines are sent as its answers allow."),
    ] = None


class AccessSettings(Section):
    """Who the agent says it is to a host on the network. For http:// and https:// alone."""

    user: Annotated[Text | None, _doc("Name for HTTP Digest; needs password_file.")] = None
    password_file: Annotated[File | None, _doc("File whose first line is the password.")] = None
    key_file: Annotated[File | None, _doc("File whose first line is the API key.")] = None


class DeviceSettings(Section):
    """One device of the station."""

    driver: Annotated[Text, _doc(N_("Name in the catalogue."), examples=sorted(DRIVERS))]
    address: Annotated[
        Text, _doc(N_("Where it is: serial://…, tcp://…, visa://…, modbus+rtu://…, http://…."))
    ]
    title: Annotated[Title, _doc("What people call it.")] = Title()
    simulated: Annotated[
        bool, _doc("A simulator stands in; its values are marked so and treated like any other.")
    ] = False
    serial_number: Annotated[
        str, _doc("The one unit that may answer here, in quotes; empty: any unit of the model.")
    ] = ""
    poll: Annotated[
        dict[str, Poll],
        _doc("Seconds between two reads, by reading; 0: only when asked; else 0.05 or more."),
    ] = {}
    limits: Annotated[
        dict[str, LimitSettings], _doc("Narrower ranges, by setting or by command.argument.")
    ] = {}
    timeouts: Annotated[TimeoutSettings, _doc("Waits that differ from the driver's.")] = (
        TimeoutSettings()
    )
    registers: Annotated[
        RegisterSettings, _doc("Smaller requests than the driver's; for Modbus alone.")
    ] = RegisterSettings()
    printer: Annotated[
        PrinterSettings | None, _doc("What files it may get; for printers alone.")
    ] = None
    access: Annotated[
        AccessSettings | None, _doc("Key or password; for printers on the network alone.")
    ] = None
    on_shutdown: Annotated[
        Literal["leave", "make_safe"], _doc("What the end of the agent means for the device.")
    ] = "leave"
    offline_alarm: Annotated[Seconds | None, OFFLINE_ALARM] = 60.0
    safe_by: Annotated[
        dict[str, CoverSettings],
        _doc("What covers each hazardous output when the agent is gone; not named: nothing."),
    ] = {}
    calibrated_until: Annotated[
        Day | None, _doc("The last day, in UTC, on which its calibration counts; null: not known.")
    ] = None
    enabled: Annotated[bool, _doc("Whether the agent talks to it.")] = True


class StationSettings(Section):
    """One workstation and its devices."""

    name: Annotated[
        str, _doc(N_("Name in topics and metrics: a to z, digits and -."), pattern=STATION_NAME)
    ]
    title: Annotated[Title, _doc("What people call the station.")] = Title()
    state: Annotated[File, _doc("Folder for everything the agent writes.")] = Path(
        "/var/lib/labkeeper"
    )
    files: Annotated[
        File, _doc("Folder of the agent's own files, to print and run; below `state`.")
    ] = Path("files")
    files_limit: Annotated[
        int, _doc("Most that the folder of files may hold, MB.", ge=1, le=1_000_000)
    ] = 4096
    disk: Annotated[Disk, _doc("What is given up as the disk of `state` fills.")] = Disk()
    runs: RunsFolder = Path("runs")
    runs_formats: RunFormats = ()
    recipes: Annotated[
        File, _doc("Folder of recipes, each called after its recipe: cycle.yaml.")
    ] = Path("recipes")
    devices_folder: Annotated[
        File | None, _doc("Folder of device files, each called after its device: psu1.yaml.")
    ] = None
    devices: Annotated[
        dict[Annotated[str, Field(pattern=DEVICE_NAME)], DeviceSettings],
        _doc(
            "The devices by name: a to z, digits and _, a letter first.",
            json_schema_extra={"additionalProperties": False},
        ),
    ] = {}
    interlocks: Annotated[
        dict[Annotated[str, Field(pattern=STATION_NAME)], InterlockSettings],
        _doc(
            "What must be so before something is done, or at all times, by name: a to z, digits and -.",
            json_schema_extra={"additionalProperties": False},
        ),
    ] = {}
    schedules: Annotated[
        dict[Annotated[str, Field(pattern=STATION_NAME)], ScheduleSettings],
        _doc(
            "Recipes that are started at certain times, by name: a to z, digits and -.",
            json_schema_extra={"additionalProperties": False},
        ),
    ] = {}
    alarms: Annotated[dict[Annotated[str, Field(pattern=STATION_NAME)], AlarmSettings], ALARMS] = {}
    mqtt: Annotated[Mqtt | None, _doc("The broker; without it nothing is published.")] = None
    metrics: Annotated[Metrics | None, _doc("The page for Prometheus; null: none.")] = Metrics()
    api: Annotated[Api, _doc("REST and the socket.")] = Api()
    console: Annotated[Console, _doc("The technicians' pages.")] = Console()
    reconnect: Annotated[Reconnect, _doc("Waits between attempts to reach a device.")] = Reconnect()
    log: Annotated[Log, _doc("How much the agent writes about itself, and how.")] = Log()
