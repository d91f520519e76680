"""What OctoPrint says: one look at the printer behind it, and which print it is that runs.

A look asks GET /api/printer and GET /api/job, so that all is of now. What is pushed besides
(`octoprint_push`) says why a print has ended; without it REST alone serves.

Sources: docs.octoprint.org, REST API: "Version information", "General information" ("Login"), "Job
operations", "Printer operations", "File operations", "Printer profile operations".
"""

from __future__ import annotations

import asyncio
from abc import ABC
from dataclasses import dataclass, replace
from typing import Final

from drivers.errors import AccessRefused, BadReply, DeviceError, LinkError
from drivers.protocol import octoprint_data as data
from drivers.protocol import octoprint_jobs as jobs
from drivers.protocol.host_api import Look
from drivers.protocol.host_view import AT_REST
from drivers.protocol.octoprint_answers import file_url, told
from drivers.protocol.octoprint_data import Heat, Job, Kept, Machine
from drivers.protocol.octoprint_push import Push
from drivers.protocol.print_host import PrintHost
from drivers.protocol.printing import PrinterStatus, PrintReport, PrintResult, PrintState
from drivers.transport.link import Timeouts, WebLink

SETTLE_S: Final = 2.0
"""How long OctoPrint may take to enter the end of a print."""
PUSH_AGAIN_S: Final = 60.0
"""How long REST alone serves after the push was not to be had."""
SURE_S: Final = 5.0
"""After so long without a look the print may be another one of the same file."""


class OctoPrintView(PrintHost, ABC):
    """The questions to OctoPrint. Its prints get an id as told in `octoprint_jobs`.

    OctoPrint does not tell: positions, layers and their height, the firmware, the time since the print
    began with its pauses (`elapsed` is without them), and the share of the print's time that is over.
    Of a target it does not tell whether the printer has reported it or OctoPrint knows it from what it
    has sent itself.
    """

    def __init__(self, link: WebLink, timeouts: Timeouts) -> None:
        super().__init__(link, timeouts)
        self._push = Push(link)
        self._push_at: float | None = None  # when it was last tried for
        self._known: _Known | None = None
        self._tools: list[int] = []
        self._has_chamber = False

    async def hello(self) -> str:
        """Return what the server calls itself, such as "OctoPrint 1.10.2"; other kinds say other words.

        Raises:
            BadReply: It does not answer as OctoPrint does.
        """
        answer = await self.ask("GET", "/api/version")
        text = data.record(told(answer, "its version"), "the version").get("text")
        if not isinstance(text, str):
            raise BadReply("this is no OctoPrint: it does not say what it is at /api/version")
        if text.startswith("OctoPrint "):
            await self._open_push()
        return data.words(text)

    async def model(self) -> str:
        """What OctoPrint's users have called the printer's model; "" where it is not told to us."""
        try:
            answer = await self.ask("GET", "/api/printerprofiles")
        except AccessRefused:
            return ""  # the key may do all that is needed, and not see the profiles
        if not answer.ok:
            return ""
        profiles = data.record(answer.json(), "the profiles").get("profiles")
        for profile in data.record(profiles, "profiles").values():
            if isinstance(profile, dict) and profile.get("current") is True:
                return data.words(profile.get("model"))
        return ""

    async def look(self) -> Look:
        """See HostApi. Two requests, and two more when another print may have begun.

        Raises:
            DeviceError: OctoPrint is not connected to its printer, or is in an unknown state.
        """
        if not self._push.is_open and self._is_time_for_push():
            await self._open_push()
        machine = await self._machine()
        job = await self._job()
        await self._push.take()
        if machine.state not in AT_REST:
            known = self._still_known(job)
            if known is None:
                known = await self._learn(job)
                machine = await self._machine()  # it may have ended while this was asked
            if machine.state not in AT_REST:
                return self._under_way(machine, job, known.job)
        return await self._at_rest(machine, job)

    # The push

    def _is_time_for_push(self) -> bool:
        at = self._push_at
        return at is not None and asyncio.get_running_loop().time() - at >= PUSH_AGAIN_S

    async def _open_push(self) -> None:
        """Try for the push. That it is not to be had is no error: REST tells the same."""
        if self._push_at is None:
            self.link.on_close(self._push.close)
        self._push_at = asyncio.get_running_loop().time()
        try:
            answer = await self.ask("POST", "/api/login", json={"passive": True})
            login = data.record(told(answer, "a session"), "the session")
            user, session = login.get("name"), login.get("session")
            if isinstance(user, str) and isinstance(session, str):
                await self._push.open(user, session)
        except (LinkError, AccessRefused, BadReply):
            await self._push.close()

    # What is asked

    async def _machine(self) -> Machine:
        answer = await self.ask("GET", "/api/printer?exclude=sd")
        if answer.status == 409:
            raise DeviceError(await self._why_not_operational())
        machine = data.machine(told(answer, "the state of its printer"))
        self._tools = machine.tools
        self._has_chamber = "chamber" in machine.heats
        return machine

    async def _why_not_operational(self) -> str:
        try:
            said = data.record(told(await self.ask("GET", "/api/job"), "the job"), "the job")
        except BadReply:
            said = {}
        text = ": ".join(filter(None, (data.words(said.get(key)) for key in ("state", "error"))))
        shown = f" ({text})" if text else ""
        return f"OctoPrint is not connected to its printer{shown}: connect it in OctoPrint"

    async def _job(self) -> Job:
        return data.job(told(await self.ask("GET", "/api/job"), "the job"))

    async def _kept_file(self, place: str) -> Kept | None:
        answer = await self.ask("GET", file_url(place))
        return None if answer.status == 404 else data.kept(told(answer, "what it has of a file"))

    # While something is printed

    def _still_known(self, job: Job) -> _Known | None:
        """What was found out of the print under way, if it still holds."""
        now, known = asyncio.get_running_loop().time(), self._known
        if known is None or not known.holds(job, self._push.turns, now):
            return None
        self._known = replace(known, elapsed=job.elapsed or 0.0, at=now)
        return known

    async def _learn(self, job: Job) -> _Known:
        """Find out the id of the print under way, which takes a request where it may be ours."""
        job_id, turns = job.file, self._push.turns
        if job.origin == "local" and job.path.startswith(f"{jobs.FOLDER}/"):
            kept = await self._kept_file(job.path)
            job_id = job.file if kept is None else jobs.job_id(kept)
        now = asyncio.get_running_loop().time()
        self._known = known = _Known(job_id, job.file, job.elapsed or 0.0, turns, now)
        return known

    def _under_way(self, machine: Machine, job: Job, job_id: str) -> Look:
        if job_id == self._our_job and self._our_result != "NONE":
            job_id += jobs.AGAIN
        if machine.state is PrintState.CANCELLING:
            self.link.kept["cancelling"] = job_id
        report = PrintReport(
            state=machine.state,
            file=job.name,
            sent=job.completion,
            elapsed=job.elapsed,
            left=job.left,
            message=machine.error,
        )
        return Look(status=_status(machine, report), job=job_id)

    # While nothing is printed

    async def _at_rest(self, machine: Machine, job: Job) -> Look:
        self._known = None
        ours = self._our_job
        name = job.name if ours and job.path == jobs.place(ours) else ""
        report = PrintReport(state=machine.state, file=name, message=machine.error)
        status = _status(machine, report)
        if not ours:
            return Look(status=status)
        if self._our_result != "NONE":
            reason = self.link.kept.get("reason", "")
            return Look(status=status, job=ours, ended=PrintResult[self._our_result], reason=reason)
        ended, reason = await self._ending(ours)
        return Look(status=status, job=ours, ended=ended, reason=reason)

    async def _ending(self, job: str) -> jobs.Ending:
        """How our print has ended: OctoPrint enters it, and pushes why, a moment after it is at rest."""
        until = asyncio.get_running_loop().time() + SETTLE_S
        while True:
            ending = jobs.ending(
                job,
                await self._kept_file(jobs.place(job)),
                self._push.end(jobs.place(job)),
                asked=self.link.kept.get("cancelled") == job,
                seen=self.link.kept.get("cancelling") == job,
            )
            may_come = ending is None or (ending == jobs.UNTOLD and self._push.is_open)
            if not may_come or asyncio.get_running_loop().time() >= until:
                return ending or jobs.NO_ENTRY
            await asyncio.sleep(self.again)
            await self._push.take()

    @property
    def _our_job(self) -> str:
        return self.link.kept.get("job", "")

    @property
    def _our_result(self) -> str:
        return self.link.kept.get("result", "NONE")


@dataclass(frozen=True, slots=True)
class _Known:
    """The id of a print, and what was seen of it at the last look."""

    job: str
    file: str
    elapsed: float
    turns: int
    at: float

    def holds(self, job: Job, turns: int, now: float) -> bool:
        """Whether it can only be the same print still."""
        is_later = (job.elapsed or 0.0) >= self.elapsed
        is_same = job.file == self.file and turns == self.turns
        return is_same and is_later and now - self.at <= SURE_S


def _status(machine: Machine, report: PrintReport) -> PrinterStatus:
    """The nozzle is the first one. All that heats counts for whether anything does."""
    none = Heat(actual=None, target=None)
    nozzle = machine.heats.get(f"tool{machine.tools[0]}", none) if machine.tools else none
    bed = machine.heats.get("bed", none)
    return PrinterStatus(
        nozzle=nozzle.actual,
        nozzle_target=nozzle.target,
        bed=bed.actual,
        bed_target=bed.target,
        more_targets=machine.targets,
        print=report,
    )
