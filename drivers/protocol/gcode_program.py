"""A print on its way to the board: examined as a whole, then sent, paused, resumed, ended.

The file is never held in memory. Whatever is wrong with it is found before anything is sent. When
a print ends before its last line, nothing of it begins anew by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from drivers.errors import DeviceBusy, DriverError, LinkError, RequestError
from drivers.forms import TextFile
from drivers.protocol.gcode_control import Control
from drivers.protocol.gcode_pausing import Place, pausing, place_of, resuming
from drivers.protocol.gcode_source import FileSource
from drivers.protocol.printing import (
    PrintEnded,
    PrintOwner,
    PrintReport,
    PrintResult,
    PrintState,
    admitted,
)
from drivers.survey import Profile, Survey


class Board(Protocol):
    """What a program needs of the wire."""

    async def begin(self) -> None:
        """Make ready for a program."""
        ...

    async def stream(self, source: FileSource) -> None:
        """Send what the source gives, until it gives nothing now or somebody else wants the link."""
        ...

    async def say(self, line: str) -> list[str]:
        """Send one line, and return what was said up to its acknowledgement."""
        ...

    def break_wait(self) -> None:
        """End a wait for heat or for a person."""
        ...

    def lost(self) -> DriverError | None:
        """Why the board can't be spoken to any more, or None."""
        ...


class Program(Control):
    """The print of one printer, or the rest of the last one: how far it came stays readable.

    `kept` outlives the connection, so that how a print ended is still known after the next one.
    """

    def __init__(
        self, board: Board, kept: dict[str, str], heaters: Callable[[DriverError], str]
    ) -> None:
        super().__init__(board.break_wait)
        self._board, self._kept, self._heaters = board, kept, heaters
        self._profile = Profile()
        self._survey = Survey()
        self._source: FileSource | None = None
        self._failure: Exception | None = None
        self._place: Place = {}
        self._began = self._stopped = 0.0
        self.name = ""
        self.has_begun = False  # something of this print may have been sent
        self._is_done = False

    async def run(self, file: TextFile, profile: Profile) -> Mapping[str, Any]:
        """Examine the file, send it, wait for the last move, and say what was printed.

        Raises:
            DeviceBusy: Another print is under way.
            RequestError: The file was refused; nothing was sent.
            PrintEnded: Somebody ended it.
            DriverError: Sending failed. The words name the last line that the board has.
        """
        if self.state is not PrintState.IDLE:
            raise DeviceBusy(f"{self.name} is being printed")
        self._begin(file, profile)
        try:
            self._survey = await admitted(file, profile)
            self._unless_cancelled()
            self.state = PrintState.STARTING
            self._kept.update(result=PrintResult.NONE.name, reason="", file=file.name)
            self.has_begun = True
            await self._print(file)
            self._is_done = True
            self._kept.update(result=PrintResult.DONE.name)
        finally:
            self._end()
        return {
            "file": file.name,
            "sha256": self._survey.sha256,
            "seconds": round(self._stopped - self._began, 1),
            "lines": self.lines_taken,
        }

    @property
    def lines_taken(self) -> int:
        """Lines of the file that the board has acknowledged."""
        return self._source.count if self._source else 0

    @property
    def last_line(self) -> int:
        """Number in the file of the last of them; 0 before the first."""
        return self._source.last.number if self._source and self._source.last else 0

    def report(self) -> PrintReport:
        """The print as it stands."""
        runs = self.state is not PrintState.IDLE
        kept, survey = self._kept, self._survey
        offset = self._source.offset if self._source else 0
        place = survey.at(offset) if self._source else None
        is_done = self._is_done
        seconds = survey.seconds if is_done else place and place.seconds
        known = seconds is not None and bool(survey.seconds)
        return PrintReport(
            state=self.state,
            owner=PrintOwner.AGENT if runs else PrintOwner.NOBODY,
            result=PrintResult[kept.get("result", "NONE")],
            reason=kept.get("reason", ""),
            message=self.message,
            file=self.name if runs else kept.get("file", ""),
            sent=_share(survey.size if is_done else offset, survey.size) if self._source else None,
            time_progress=_share(seconds or 0.0, survey.seconds or 1.0) if known else None,
            elapsed=self._elapsed(),
            left=place.left if place and runs else None,
            layer=place.layer if place else None,
            layers=place.layers if place else None,
            height=place.height if place else None,
        )

    def _elapsed(self) -> float | None:
        if not self._began:
            return None
        end = self._now() if self.state is not PrintState.IDLE else self._stopped
        return round(end - self._began, 1)

    def _begin(self, file: TextFile, profile: Profile) -> None:
        self._begin_control()
        self._profile, self._source = profile, None
        self.name, self.has_begun, self._is_done = file.name, False, False
        self._survey, self._place, self._failure = Survey(size=file.size), {}, None
        self._began = self._stopped = self._now()

    def _end(self) -> None:
        self._stopped = self._now()
        self._end_control()

    async def _print(self, file: TextFile) -> None:
        """Send in a task of its own, so that a cancellation can break a wait for heat at once."""
        source = self._source = FileSource(file.pieces(), lambda: self.is_held, self.begun)
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(source.read(), name=f"read {file.name}")
            sending = group.create_task(self._send_all(source), name=f"print {file.name}")
            try:
                await asyncio.wait([sending])
            except asyncio.CancelledError:
                if self._failure is None and (lost := self._board.lost()) is not None:
                    self._failure = self._with_place(lost)
                self.cancel("it was stopped")
                raise
            finally:
                reading.cancel()
                self._note(self._failure)
        if self._failure is not None:
            raise self._failure

    async def _send_all(self, source: FileSource) -> None:
        try:
            await self._board.begin()
            while await self._may_go_on(source) and await source.more():
                if source.asks is not None:
                    self.hold(source.asks or "it waits for you: look at it, then resume")
                    source.answered()
                else:
                    await self._board.stream(source)
            self.state = PrintState.FINISHING
            await self._board.say("M400")
            self._unless_cancelled()
        except Exception as error:  # noqa: BLE001 - `_print` raises it again
            self._failure = self._with_place(error)

    async def _may_go_on(self, source: FileSource) -> bool:
        """Pause and wait where that is wanted. Raises PrintEnded when the print is cancelled."""
        self._unless_cancelled()
        if self._is_to_pause:
            await self._step_aside(source)
        await self._go.wait()
        self._unless_cancelled()
        if self._is_aside:
            await self._step_back(source)
        return True

    async def _step_aside(self, source: FileSource) -> None:
        self._is_to_pause, self._is_aside = False, True
        self._go.clear()
        await self._board.say("M400")
        self._place = place_of(await self._board.say("M114"))
        await self._run_script(pausing(self._profile, self._place))
        if self.state is PrintState.PAUSING:
            self.state = PrintState.PAUSED
        self._settled.set()

    async def _step_back(self, source: FileSource) -> None:
        await self._run_script(resuming(self._profile, source.modes, self._place))
        self._unless_cancelled()
        self._is_aside, self.state = False, PrintState.PRINTING
        self._settled.set()

    async def _run_script(self, lines: list[str]) -> None:
        for line in lines:
            self._unless_cancelled()
            await self._board.say(line)

    def _with_place(self, error: Exception) -> Exception:
        """The error with what is known of where the print ended."""
        if not isinstance(error, DriverError):
            return error
        where = f"{self.name}: the print ended after line {self.last_line}"
        if isinstance(
            error, RequestError
        ):  # the file is not what it was: the printer is not to blame
            error = PrintEnded.because(PrintResult.FAILED, str(error))
        told = error.during(f"{where} ({self._heaters(error)})")
        return told.marked(sent=True) if self.lines_taken else told

    def doubt_heat(self, words: str) -> None:
        """Add to what is told of the last print that its heaters could not be switched off."""
        self._kept["reason"] = f"{self._kept.get('reason', '')}; {words}".removeprefix("; ")

    def _note(self, error: Exception | None) -> None:
        """Keep how the print ended, when it did not reach its end."""
        match error:
            case None if not self._cancelled:
                return
            case PrintEnded():
                result = error.result
            case LinkError():
                result = PrintResult.INTERRUPTED
            case None:
                result = PrintResult.CANCELLED
            case _:
                result = PrintResult.FAILED
        self._kept.update(result=result.name, reason=str(error or self._cancelled))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _share(part: float, whole: float) -> float:
    return round(min(100.0, 100.0 * part / whole), 2) if whole else 0.0
