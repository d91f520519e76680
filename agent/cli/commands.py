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
# A negative number is a value, not an option: labkeeper do stage1.jog x=-5 and set oven1.setpoint -5.
VALUES_FOLLOW: Final = {"ignore_unknown_options": True}

app.command("run")(hosting.run)
app.command("check")(hosting.check)
app.command("demo")(hosting.demo)
app.command("drivers")(looking.drivers)
app.command("devices")(looking.devices)
app.command("read")(looking.read)
app.command("watch")(looking.watch)
app.command("events")(looking.events)
app.command("set", context_settings=VALUES_FOLLOW)(acting.set_)
app.command("do", context_settings=VALUES_FOLLOW)(acting.do)
app.command("stop")(acting.stop)
app.command("reconnect")(acting.reconnect)


def _version(wanted: bool) -> None:
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
    ctx.default_map = {str(command.name): said for command in app.registered_commands}
