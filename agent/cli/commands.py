"""What may be typed: every command, its arguments, and the function that runs it.

argparse, because it is there in 0.01 s: typer imports pydantic to read the first argument, and
made a command that takes 0.25 s take twice as long.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from agent.cli.alarm_words import add_alarm
from agent.cli.demo_words import add_demo
from agent.cli.doctor_words import add_doctor
from agent.cli.install_words import add_install
from agent.cli.job_words import add_job
from agent.cli.ledger_words import add_ledger
from agent.cli.metrics_words import add_metrics
from agent.cli.parser import NOTHING, Commands, Parser, WrongUsage, add_general, add_seconds
from agent.cli.plate_words import add_plate
from agent.cli.print_words import add_print, add_upload
from agent.cli.queue_words import add_queue
from agent.cli.recipe_words import add_recipe
from agent.cli.reserve_words import add_reserve
from agent.cli.run_words import add_run_folders
from agent.cli.safe_words import add_safe
from agent.cli.schedule_words import add_schedule
from agent.cli.settle_words import add_settle
from agent.cli.user_words import add_people
from agent.languages.message import N_, Message

ABOUT: Final = N_("The agent of a lab workstation, and the hand that asks it.")
EXIT_CODES: Final = N_(
    "Exit codes: 0 done, 2 refused or wrong usage, 3 device trouble, 4 no agent."
)
A_STATION: Final = N_("the station's YAML file")
NO_SOCKET: Final = frozenset({"socket"})


def run(words: Sequence[str]) -> int:
    """Run the command that the words mean, and return its exit code. Raises AgentError."""
    given = vars(command_line(next(iter(words), "")).parse_args(words))
    if given.pop("version"):
        return _tell_version()
    module, _, name = str(given.pop("runs")).partition(":")
    unused = given.pop("unused")
    # Each command imports what it needs, and no more.
    function: Callable[..., int | None] = getattr(import_module(f"agent.cli.{module}"), name)
    return function(**{key: it for key, it in given.items() if key not in unused}) or 0


def command_line(word: str = "") -> Parser:
    """What may be typed; what may not raises WrongUsage.

    That is everything, unless `word` is a command: then it is what is added along with that one. The
    whole takes 17 ms to put together, at each command and at each start of the agent.
    """
    parser = Parser(
        prog="labkeeper",
        description=ABOUT,
        epilog=EXIT_CODES,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help=N_("print the version and end"))
    parser.set_defaults(runs="commands:no_command", unused=NOTHING)
    add_general(parser, frozenset(), None, as_json=False)
    commands = Commands(parser)
    for add in (ADDED_BY[word],) if word in ADDED_BY else dict.fromkeys(ADDED_BY.values()):
        add(commands)
    return parser


def _add_run(commands: Commands) -> None:
    run_ = commands.add(
        "run",
        "hosting:run",
        N_("run the agent until SIGTERM or Ctrl-C; SIGHUP reads the config again"),
        "labkeeper run --config /etc/labkeeper/station.yaml",
        unused=NOTHING,
    )
    # `run verify FOLDER` needs none; that `run` alone does, it says itself.
    run_.add_argument("--config", type=Path, metavar="FILE", help=A_STATION)
    add_run_folders(run_)


def _add_check(commands: Commands) -> None:
    check = commands.add(
        "check",
        "hosting:check",
        N_("say everything that is wrong with a config: file, line, column, key"),
        "labkeeper check --config station.yaml",
        unused=NO_SOCKET,
    )
    check.add_argument("--config", type=Path, metavar="FILE", required=True, help=A_STATION)


def _add_looking(commands: Commands) -> None:
    drivers = commands.add(
        "drivers",
        "looking:drivers",
        N_("list the drivers, or what one offers: readings, settings with ranges, commands"),
        "labkeeper drivers siglent.spd1000x    (needs no agent)",
        unused=NO_SOCKET,
    )
    drivers.add_argument("name", metavar="NAME", nargs="?", help=N_("a driver"))
    commands.add(
        "devices",
        "looking:devices",
        N_("list the devices: whether each answers, since when, and if not, why"),
        "labkeeper devices",
    )
    read = commands.add(
        "read",
        "looking:read",
        N_("show values with unit, quality and age; ends with 3 if one is not to be believed"),
        "labkeeper read psu1.measured_voltage oven1 --fresh",
    )
    read.add_argument("names", metavar="DEVICE[.READING]", nargs="+", help=N_("what to show"))
    read.add_argument("--fresh", action="store_true", help=N_("ask the device now"))
    watch = commands.add(
        "watch",
        "looking:watch",
        N_("show all devices, or some, and their values as they change, until Ctrl-C"),
        "labkeeper watch psu1 oven1 --seconds 60",
    )
    watch.add_argument("names", metavar="DEVICE", nargs="*", help=N_("default: all"))
    events = commands.add(
        "events",
        "looking:events",
        N_("show what happened since the agent started; times are UTC"),
        "labkeeper events --follow",
    )
    events.add_argument("--follow", action="store_true", help=N_("go on until Ctrl-C"))
    for parser in (watch, events):
        add_seconds(parser)
    _add_wire(commands)


def _add_wire(commands: Commands) -> None:
    commands.add(
        "interlocks",
        "looking:interlocks",
        N_("list the interlocks: whether each holds, why not, and what it keeps from being done"),
        "labkeeper interlocks",
    )
    wire = commands.add(
        "wire",
        "wire:wire",
        N_("show what was on a device's line: the last exchanges, or those before a fault"),
        "labkeeper wire psu1 --fault last",
    )
    wire.add_argument("device", metavar="DEVICE", help=N_("the device"))
    wire.add_argument("--fault", metavar="NAME", help=N_("a recording of a fault, or `last`"))
    wire.add_argument("--faults", action="store_true", help=N_("list the recordings of faults"))
    wire.add_argument("--follow", action="store_true", help=N_("what comes, until Ctrl-C"))


def _add_acting(commands: Commands) -> None:
    set_ = commands.add(
        "set",
        "acting:set_",
        N_("change a setting, and read it back"),
        "labkeeper set psu1.voltage 5    (a number is in the setting's own unit)",
    )
    set_.add_argument(
        "target", metavar="DEVICE.SETTING", help=N_("`labkeeper drivers NAME` lists them")
    )
    set_.add_argument("value", metavar="VALUE", help=N_("a number, on or off, a choice, or a text"))
    do = commands.add(
        "do",
        "acting:do",
        N_("run a command of a device, and wait for its end"),
        "labkeeper do psu1.ramp to=5 rate=0.5    (numbers are in the argument's own unit)",
    )
    do.add_argument(
        "target", metavar="DEVICE.COMMAND", help=N_("`labkeeper drivers NAME` lists them")
    )
    do.add_argument("arguments", metavar="NAME=VALUE", nargs="*", help=N_("what the command takes"))
    stop = commands.add(
        "stop",
        "acting:stop",
        N_("stop a device, or all of them, and say what was confirmed safe"),
        "labkeeper stop printer1    (it is no emergency stop: that is the red button)",
    )
    stop.add_argument("device", metavar="DEVICE", nargs="?", help=N_("default: every device"))
    add_settle(commands)
    _add_after_trouble(commands)


def _add_after_trouble(commands: Commands) -> None:
    reconnect = commands.add(
        "reconnect",
        "acting:reconnect",
        N_("try at once to reach a device, also after another instrument had answered"),
        "labkeeper reconnect psu1",
    )
    reconnect.add_argument("device", metavar="DEVICE", help=N_("the device"))


def _add_files(commands: Commands) -> None:
    files = commands.add(
        "files",
        "files:list_files",
        N_("list the files that can be printed, or add, show, check and remove one"),
        "labkeeper files    (lists; each of the commands has a --help of its own)",
    )
    each = Commands(files)
    add = each.add(
        "add",
        "files:add",
        N_("put a file into the agent's store, where its content is examined"),
        "labkeeper files add part.gcode --name 시험편.gcode",
    )
    add.add_argument("path", type=Path, metavar="PATH", help=N_("a file of this machine"))
    add_upload(add)
    for name, about in (
        ("show", N_("show what is in a file: size, hash, moves, temperatures, time, troubles")),
        ("check", N_("say whether a printer may get a file; ends with 2 if not")),
        ("remove", N_("remove a file from the store")),
    ):
        to_printer = " --printer printer1" if name == "check" else ""
        example = f"labkeeper files {name} part.gcode{to_printer}"
        command = each.add(name, f"files:{name}", about, example)
        command.add_argument("name", metavar="NAME", help=N_("a file of the store"))
        if name == "check":
            command.add_argument(
                "--printer",
                metavar="DEVICE",
                required=True,
                help=N_("the device that is to print it"),
            )


def _tell_version() -> int:
    # Looking the version up takes longer than reading the command line.
    from importlib.metadata import version

    from agent.cli import output

    output.line(f"labkeeper {version('labkeeper')}")
    return 0


def no_recipe_command() -> int:
    """Say what may be asked of recipes. Raises WrongUsage."""
    raise WrongUsage(
        Message("which command? recipe list, show or check; see `labkeeper recipe --help`")
    )


def no_job_command() -> int:
    """Say what may be asked of jobs. Raises WrongUsage."""
    raise WrongUsage(
        Message("which command? job start, list, show, stop …; see `labkeeper job --help`")
    )


def no_alarm_command() -> int:
    """Say what may be asked of alarms. Raises WrongUsage."""
    raise WrongUsage(
        Message("which command? alarm list, ack, shelve, unshelve; see `labkeeper alarm --help`")
    )


def no_command() -> int:
    """Print the help: nothing was asked for. Raises WrongUsage."""
    command_line().print_help()
    raise WrongUsage(Message("which command? see above"))


ADDED_BY: Final[Mapping[str, Callable[[Commands], None]]] = {
    "run": _add_run,
    "check": _add_check,
    "demo": add_demo,
    **dict.fromkeys(("drivers", "devices", "read", "watch", "events"), _add_looking),
    **dict.fromkeys(("interlocks", "wire"), _add_looking),
    **dict.fromkeys(("set", "do", "stop", "settle", "reconnect"), _add_acting),
    "files": _add_files,
    "print": add_print,
    "ledger": add_ledger,
    "metrics": add_metrics,
    "recipe": add_recipe,
    "job": add_job,
    "queue": add_queue,
    "plate": add_plate,
    **dict.fromkeys(("reserve", "unreserve"), add_reserve),
    "schedule": add_schedule,
    "alarm": add_alarm,
    **dict.fromkeys(("user", "token"), add_people),
    **dict.fromkeys(("make-safe", "waive", "waivers"), add_safe),
    **dict.fromkeys(("doctor", "support"), add_doctor),
    **dict.fromkeys(("install", "uninstall", "update", "rollback"), add_install),
}
"""Every command, and the function that adds it to the command line, some along with others."""
