"""The command line: a thin client of the agent's socket. Only `run` imports the agent itself.

Exit codes: 0 done, 2 refused or wrong usage, 3 device trouble, 4 no agent; 1 the answer could not
be written, or a defect of ours.
"""

import sys
from collections.abc import Sequence

NEVER_MIND = 130
"""What a shell expects of a program that Ctrl-C has ended: 128 + SIGINT."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Whatever goes wrong becomes a sentence."""
    # Here, so that nothing is imported before there is something to do.
    from agent.cli import output
    from agent.cli.commands import run
    from agent.cli.failures import failed, say
    from agent.cli.parser import speak_as_asked
    from agent.languages.message import Message

    output.prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    speak_as_asked(given)
    try:
        return run(given)
    except KeyboardInterrupt:
        say(Message("stopped; what was already asked of the agent goes on there"))
        return NEVER_MIND
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a user
        return failed(error, as_json="--json" in given)
