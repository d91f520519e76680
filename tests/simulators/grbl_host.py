"""A host that talks to the simulated GRBL controller, line by line."""

from __future__ import annotations

from simulators.grbl import GrblStage

BANNER = "Grbl 1.1h ['$' for help]"
LOCKED = "[MSG:'$H'|'$X' to unlock]"


def stage(**settings: float) -> GrblStage:
    """A stage with settings such as `s22=1`, its port just opened."""
    numbers = {int(name[1:]): value for name, value in settings.items()}
    made = GrblStage(settings=numbers)
    made.opened()
    return made


def ask(made: GrblStage, line: str) -> list[str]:
    return made.handle(f"{line}\n".encode()).decode().splitlines()


def wait(made: GrblStage, seconds: float) -> list[str]:
    return made.advance(seconds).decode().splitlines()


def homed(**settings: float) -> GrblStage:
    made = stage(s22=1, **settings)
    ask(made, "$H")
    assert wait(made, 60) == ["ok"]
    return made
