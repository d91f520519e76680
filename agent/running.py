"""Runs an agent: what it needs of the outside is opened here, and handed in."""

import asyncio
import logging
from pathlib import Path
from random import Random

from agent import logs
from agent.app import Agent
from agent.clock import SystemClock
from agent.loop import new_event_loop
from agent.settings import load
from agent.settings.oidc import missing_of_oidc
from agent.store.folder import owned
from agent.web.ports import bound
from agent.web.token import read_or_make_token

log = logging.getLogger("labkeeper")


def run(config: Path) -> None:
    """Run the station of this config until SIGTERM or Ctrl-C.

    Raises:
        CannotStart: The config, a port, a folder or another agent stands in the way.
    """
    settings = load(config)
    logs.configure(settings.log.format, settings.log.level)
    for warning in (*settings.warnings, *missing_of_oidc(settings)):
        log.warning("%s", warning)
    with owned(settings.state), bound(settings) as ports:
        token = read_or_make_token(settings.api.token_file)
        clock, rng = SystemClock(), Random()  # noqa: S311 - for jitter
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(Agent(config, settings, ports, token, clock=clock, rng=rng).run())
