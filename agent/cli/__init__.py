"""The command line: a thin client of the agent's socket. Only `run` imports the agent itself.

Exit codes: 0 done, 2 refused or wrong usage, 3 device trouble, 4 no agent; 1 is a defect of ours.
"""

import sys
from collections.abc import Sequence

NEVER_MIND = 130
"""What a shell expects of a program that Ctrl-C has ended: 128 + SIGINT."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Whatever goes wrong becomes a sentence."""
    from agent.cli.failures import failed, say

    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except KeyboardInterrupt:
        say("stopped; what was already asked of the agent goes on there")
        return NEVER_MIND
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user
        return failed(error, as_json="--json" in given)


def _run(arguments: list[str]) -> int:
    # Here, and not above: `import agent.cli` alone costs nothing.
    from typer.exceptions import TyperException
    from typer.main import get_command

    from agent.cli.commands import app
    from agent.cli.failures import say

    try:
        code = get_command(app).main(arguments, "labkeeper", standalone_mode=False)
    except TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "labkeeper")
        say(f"{error.format_message()} See `{command} --help`.")
        return error.exit_code
    return code if isinstance(code, int) else 0
