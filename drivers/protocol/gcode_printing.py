"""A printer on a serial line: G-code, and the print that goes over it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from drivers.errors import DeviceBusy, DeviceError, DriverError, LinkError, RequestError
from drivers.forms import TextFile
from drivers.protocol.gcode_control import ACTIVE
from drivers.protocol.gcode_cooling import STREAM_TURN_S, CoolingGCode
from drivers.protocol.gcode_printer_words import Prompt, SdCard
from drivers.protocol.gcode_program import Program
from drivers.protocol.gcode_replies import Kind, Reply
from drivers.protocol.gcode_source import FileSource
from drivers.protocol.gcode_stream import Stream
from drivers.protocol.gcode_values import BED_TARGET, NOZZLE_TARGET, REPORTED, heaters_of
from drivers.protocol.printing import (
    PrintEnded,
    PrinterRef,
    PrinterStatus,
    PrintReport,
    PrintResult,
    PrintState,
    told,
)
from drivers.survey import Buffers, Profile
from drivers.transport.attempt import acted, acting
from drivers.transport.link import BoardLink, Timeouts
from drivers.wire import Ref

STOP_BYTES: Final = 64
"""Of what `halt` sends."""
AT_PRINTER: Final = "the printer waits for a person: look at its display, then resume"


class PrintingGCode(CoolingGCode):
    """G-code with a print. See PrinterWire and DirectWire for what a printer's driver needs of it."""

    def __init__(
        self,
        link: BoardLink,
        timeouts: Timeouts,
        boot: float = 2.0,
        nonce: Callable[[], str] = lambda: secrets.token_hex(4),
    ) -> None:
        super().__init__(link, timeouts, boot, nonce)
        self.program = Program(self, link.kept, self._heat_in_words)
        self._stream = Stream(self.lines, link, None)
        self._prompt, self._card = Prompt(), SdCard()
        self._is_told_by_busy = False
        self._ends = 0  # how many are leaving the printer cold now

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """Fetch a printer's values by their names, and others as GCode does."""
        names = {it.name for it in refs if isinstance(it, PrinterRef)}
        reported = [it for it in REPORTED if it in names]
        if "heaters" in names:
            reported += [it for it in ("nozzle_target", "bed_target") if it not in names]
        others = [it for it in refs if not isinstance(it, PrinterRef)]
        asked = [*(REPORTED[it] for it in reported), *others]
        found = await super().read(asked)
        values = dict(zip(reported, found, strict=False))
        rest = iter(found[len(reported) :])
        status = PrinterStatus(firmware=self.firmware_name, print=self._report())
        return [
            self._pick(it, values, status) if isinstance(it, PrinterRef) else next(rest)
            for it in refs
        ]

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Set a target, or what GCode sets. Raises DriverError."""
        await self.must_not_be_foreign()
        own = {"nozzle_target": NOZZLE_TARGET, "bed_target": BED_TARGET}
        name = ref.name if isinstance(ref, PrinterRef) else ""
        await super().write(own.get(name, ref), value)

    async def print_file(self, file: TextFile, profile: Profile) -> Mapping[str, Any]:
        """See PrinterWire. However it ends before its last line, heaters and fan are switched off."""
        await self.must_not_be_foreign()
        if self.program.state is not PrintState.IDLE:
            raise DeviceBusy(f"{self.program.name} is being printed")
        self._stream = Stream(
            self.lines, self._link, self._buffers(profile), self._room_for_a_stop()
        )
        try:
            return await self.program.run(file, profile)
        except BaseException as error:
            if self.program.has_begun:
                await self._after(error, profile)
            raise

    async def pause_print(self) -> None:
        """See PrinterWire."""
        await self.program.pause()

    async def resume_print(self) -> None:
        """See PrinterWire. After a pause of the firmware's own, its question is answered."""
        if not self.program.waits_at_printer:
            await self.program.resume()
            return
        self._answer_for_the_person()
        self.program.resumed_by_firmware()

    async def cancel_print(self) -> None:
        """See PrinterWire."""
        if self.program.state is PrintState.IDLE:
            card = "what is printed from the memory card was begun by somebody else: `stop` ends it"
            raise RequestError(card if self._card.is_printing else "nothing is being printed")
        self.program.cancel("it was cancelled")
        await self.program.ended()
        await self.make_safe()

    async def answer(self, choice: int) -> None:
        """Answer the question of the printer's display, by the number of the button from 0 (M876)."""
        if not self._prompt.buttons:
            raise RequestError("the printer asks nothing")
        if choice >= len(self._prompt.buttons):
            offered = ", ".join(f"{n} {it}" for n, it in enumerate(self._prompt.buttons))
            raise RequestError(f"there is no answer {choice}; answers: {offered}")
        acted()
        self._link.send_now(b"M876 S%d\n" % choice)
        self.lines.doubt()

    async def make_safe(self) -> None:
        """See PrinterWire. A board that says it has killed itself has done so already (M112)."""
        self.program.cancel("the printer was made safe")
        if self.halted:
            await self.hear_a_reset()
        try:
            with self._waiting_for_nobody():
                await self.cool(*(["M524"] if self._card.is_printing else []))
        except DeviceError:
            if not self.halted:
                raise

    async def interrupt(self) -> None:
        """Stop at once with M112: heaters and motors off, until the board is reset.

        A printer at rest takes the next line at once, and is not made to need a reset.
        """
        at_rest = self.program.state in {PrintState.IDLE, PrintState.CHECKING} and self.at_rest
        if not at_rest or self._card.is_printing:
            self.halt()
            self.program.cancel("it was stopped by M112")

    async def order(self, line: str) -> None:
        """See DirectWire."""
        await self.command(line)

    async def begin(self) -> None:
        """See gcode_program.Board. Short numbers make short lines."""
        with acting():
            await self._take(self.lines.begin_anew, STREAM_TURN_S)

    async def must_be_at_rest(self) -> None:
        """See DirectWire."""
        await self.must_not_be_foreign()
        if self.program.state is not PrintState.IDLE:
            raise DeviceBusy("a file is being printed")

    async def must_not_be_foreign(self) -> None:
        """See DirectWire."""
        if self._card.is_printing:
            raise DeviceBusy("the printer prints from its memory card, which somebody else began")

    async def stream(self, source: FileSource) -> None:
        """See gcode_program.Board."""
        with acting():
            await self._take(
                lambda: self._stream.run(source, lambda: self._turn.is_wanted), STREAM_TURN_S
            )

    @property
    def is_streaming(self) -> bool:
        """See GCode."""
        return self.program.state in ACTIVE

    @property
    def firmware_name(self) -> str:
        """Name and version, as M115 tells them."""
        found = re.search(r"FIRMWARE_NAME:\s*(.*?)(?:,? [A-Z_]+:|$)", self.firmware)
        return found[1] if found else ""

    def _buffers(self, profile: Profile) -> Buffers | None:
        """What the firmware holds; None where only advanced acknowledgements can tell it."""
        if profile.buffers is not None:
            return profile.buffers
        return None if self.kind.may_stream else Buffers(lines=1, bytes=0)

    def _report(self) -> PrintReport:
        report = self.program.report()
        if self.program.state is PrintState.IDLE and self._card.is_printing:
            return self._card.report(report)
        return replace(report, message=report.message or self._prompt.shown)

    def _pick(self, ref: PrinterRef[Any], values: Mapping[str, Any], status: PrinterStatus) -> Any:
        if ref.name == "heaters":
            return heaters_of([values["nozzle_target"], values["bed_target"]])
        return values[ref.name] if ref.name in values else told(status, ref)

    def break_wait(self) -> None:
        """End a wait for heat, or one for a person that the firmware has begun by itself."""
        if self.program.waits_at_printer:
            self._answer_for_the_person()
        else:
            super().break_wait()

    def lost(self) -> DriverError | None:
        """See gcode_program.Board."""
        return self._down or self._link.failure

    def _answer_for_the_person(self) -> None:
        acted()
        goes_on = self._prompt.button("continue", "resume", "yes")
        self._link.send_now(b"M108\n" if goes_on is None else b"M876 S%d\n" % goes_on)
        self.lines.doubt()

    def _room_for_a_stop(self) -> int:
        """Bytes of the receive buffer that a stop needs, where the board does not see it beforehand."""
        return 0 if self.capabilities.get("EMERGENCY_PARSER") else STOP_BYTES

    async def _after(self, error: BaseException, profile: Profile) -> None:
        """Switch off what a print has left on; after a cancellation, run the script for it first."""
        is_cancelled = isinstance(error, PrintEnded) and error.result is PrintResult.CANCELLED
        try:
            with self._waiting_for_nobody():
                if is_cancelled and profile.cancel and not self.halted:
                    for line in profile.cancel:
                        await self.say(line)
                await self.make_safe()
        except DriverError as also:
            words = f"the heaters could not be switched off: {also}"
            self.program.doubt_heat(words)
            error.args = (f"{error}; {words}",)

    def _heat_in_words(self, error: DriverError) -> str:
        """What is known of the heaters when a print ends by this error."""
        if self.halted:
            return "its heaters are off, it says"
        if isinstance(error, LinkError) or self._down is not None:
            return "whether its heaters are on is not known"
        return "its heaters are being switched off"

    def _notice(self, reply: Reply) -> None:
        super()._notice(reply)
        match reply.kind:
            case Kind.ACTION:
                self._act(*reply.payload.partition(" ")[::2])
            case Kind.BUSY if reply.payload.startswith("paused for"):
                self._busy_with_a_person()
            case Kind.OK if self._is_told_by_busy:
                self._is_told_by_busy = False
                self.program.resumed_by_firmware()
            case Kind.TEXT:
                self._card.notice(reply.text)

    @contextmanager
    def _waiting_for_nobody(self) -> Iterator[None]:
        """While this lasts, whatever the firmware wants to ask a person is answered for him."""
        self._ends += 1
        try:
            yield
        finally:
            self._ends -= 1

    def _busy_with_a_person(self) -> None:
        """A firmware that tells no actions says only so that it waits; its next `ok` ends that.

        It forgets an answer that came before it waited, so a print's end answers each time it says so.
        """
        if self.program.state is PrintState.CANCELLING or self._ends:
            self._answer_for_the_person()
        elif not self.program.waits_at_printer:
            self.program.paused_by_firmware(self._prompt.shown or AT_PRINTER)
            self._is_told_by_busy = self.program.waits_at_printer

    def _act(self, verb: str, words: str) -> None:
        """Do what somebody chose on the printer's display, or what the firmware tells."""
        program = self.program
        match verb:
            case "pause" if program.state in ACTIVE:
                program.hold("somebody paused it at the printer")
            case "paused":
                reason = words.strip()
                program.paused_by_firmware(self._prompt.shown or reason or AT_PRINTER)
            case "resume" | "resumed" if program.waits_at_printer:
                program.resumed_by_firmware()
            case "resume" | "resumed" if program.state in {PrintState.PAUSED, PrintState.PAUSING}:
                program.release()
            case "cancel":
                program.cancel("it was cancelled at the printer")
            case _:
                self._prompt.notice(verb, words)
