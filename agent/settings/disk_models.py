"""The config's keys about the disk that the agent writes on."""

from typing import Annotated

from pydantic import model_validator

from agent.languages.message import Message
from agent.settings.section import Section
from agent.settings.section import doc as _doc


class Disk(Section):
    """What is given up as the disk of `state` fills: in percent of it that are free."""

    warn: Annotated[float, _doc("Below it a person is warned, %.", ge=0, le=90)] = 10.0
    refuse_jobs: Annotated[float, _doc("Below it no new job begins, %.", ge=0, le=90)] = 5.0
    stop_measuring: Annotated[
        float, _doc("Below it jobs that measure are stopped in order, %.", ge=0, le=90)
    ] = 2.0
    reserve: Annotated[
        int,
        _doc("MiB kept for records when it is full; never more than 1 % of it.", ge=0, le=4096),
    ] = 64

    @model_validator(mode="after")
    def _in_order(self) -> "Disk":
        if not self.stop_measuring <= self.refuse_jobs <= self.warn:
            raise ValueError(
                Message("stop_measuring may not be above refuse_jobs, nor that above warn")
            )
        return self
