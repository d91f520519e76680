"""The commands by name, and what `labkeeper` itself takes."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from agent.cli import acting, hosting, looking
from agent.cli.options import Json, Socket

app: Final = typer.Typer(
    name="labkeeper",
    help="The agent of a lab workstation, and the hand that asks it.\n\n"
    "Exit codes: 0 done, 2 refused or wrong usage, 3 device trouble, 4 no agent.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # main() has the last word
    rich_markup_mode=None,  # plain help: half the time, and the same in a pipe
)
COMMANDS: Final = {
    "run": hosting.run,
    "check": hosting.check,
    "demo": hosting.demo,
    "drivers": looking.drivers,
    "devices": looking.devices,
    "read": looking.read,
    "watch": looking.watch,
    "events": looking.events,
    "set": acting.set_,
    "do": acting.do,
    "stop": acting.stop,
    "reconnect": acting.reconnect,
}
# A negative number is a value, not an option: labkeeper do stage1.jog x=-5 and set oven1.setpoint -5.
VALUES_FOLLOW: Final = {"ignore_unknown_options": True}
for _name, _function in COMMANDS.items():
    _settings = VALUES_FOLLOW if _name in {"set", "do"} else {}
    app.command(_name, context_settings=_settings)(_function)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        # Reading the installed version costs 0.03 s, and most commands never do.
        from importlib.metadata import version

        typer.echo(f"labkeeper {version('labkeeper')}")
        raise typer.Exit


@app.callback()
def labkeeper(
    ctx: typer.Context,
    socket: Socket = None,
    as_json: Json = False,
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Hand on what was said before the command's name as the default of what may follow it."""
    said = {"as_json": as_json, "socket": socket}
    ctx.default_map = {name: said for name in COMMANDS}
