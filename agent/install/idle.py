"""The agent that runs on the machine, as far as an installation must know of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from agent.errors import Refused
from agent.languages.message import N_, Message, lines


class Busy(Refused):
    """Something moves that must not lose its agent."""


class RunningAgent(Protocol):
    """One agent, asked over its socket. Each may raise AgentError, but not where none runs."""

    def doing(self) -> list[str]:
        """What runs now, each as a sentence; nothing where no agent runs."""

    def version(self) -> str:
        """Which version runs; "" where no agent answers."""

    def hold(self, reason: str) -> bool:
        """Keep every job from beginning; whether it was this that did."""

    def let_go(self) -> None:
        """Let jobs begin again."""


def check_idle(agent: RunningAgent) -> None:
    """Raise Busy where a job runs or a device is at work."""
    doing = agent.doing()
    if doing:
        text = N_("not now, this would end it in its midst:\n{doing}\nwait for its end, or stop it")
        raise Busy(Message(text, doing=lines(doing)))


@contextmanager
def nothing_begins(agent: RunningAgent, reason: str) -> Iterator[None]:
    """Keep jobs from beginning meanwhile, and see again that nothing runs. Raises Busy."""
    held = agent.hold(reason)
    try:
        check_idle(agent)
        yield
    finally:
        if held:
            agent.let_go()
