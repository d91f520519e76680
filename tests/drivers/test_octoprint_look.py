"""What is made of OctoPrint's answers: who it is, what it does, how a print has ended."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.errors import (
    AccessRefused,
    BadReply,
    DeviceError,
    LinkClosed,
    WrongInstrument,
)
from drivers.printers.octoprint import OctoPrintPrinter
from drivers.protocol import octoprint_view
from drivers.protocol.octoprint_push import Push
from drivers.protocol.printing import Heaters, PrintOwner, PrintResult, PrintState
from tests.drivers.octoprint_script import (
    FILE,
    IDLE,
    PLACE,
    PRINTER,
    PRINTING,
    host,
    job,
    kept,
    printer,
    wire,
)


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octoprint_view, "SETTLE_S", 0.01)


# Who answers


@pytest.mark.parametrize(
    "text",
    ["OctoPrint (Moonraker v0.9.3)", "PrusaLink 0.8.0", "OctoPrint", "an OctoPrint 1.10.2"],
)
async def test_another_kind_of_host_is_refused(text: str) -> None:
    link = host(version=(200, {"api": "0.1", "server": "1.5.0", "text": text}))
    with pytest.raises(WrongInstrument):
        await OctoPrintPrinter(wire(link)).meet()


@pytest.mark.parametrize("text", ["OctoPrint 1.3.10", "OctoPrint 1.11.6", "OctoPrint 2.0.0rc2"])
async def test_every_octoprint_is_met_and_a_key_without_push_and_profiles_is_enough(
    text: str,
) -> None:
    link = host(version=(200, {"text": text}))
    link.answers["POST /api/login"] = (403, "no")
    link.answers["GET /api/printerprofiles"] = (403, "no")
    found = await OctoPrintPrinter(wire(link)).meet()
    assert (found.text, found.model) == (text, "")


async def test_the_model_is_that_of_the_profile_in_use() -> None:
    link = host()
    profiles = {
        "_default": {"model": "Generic", "current": False},
        "mk4": {"model": "Prusa MK4", "current": True},
    }
    link.answers["GET /api/printerprofiles"] = (200, {"profiles": profiles})
    assert (await OctoPrintPrinter(wire(link)).meet()).model == "Prusa MK4"


@pytest.mark.parametrize(
    "answer", [(404, "<html>"), (200, "[]"), (200, "hello"), (200, {"api": 1})]
)
async def test_what_does_not_answer_as_octoprint_is_none(answer: Any) -> None:
    with pytest.raises(BadReply):
        await wire(host(version=answer)).hello()


async def test_a_wrong_key_is_said_at_the_first_request() -> None:
    with pytest.raises(AccessRefused):
        await wire(host(version=(403, "no"))).hello()


# A look


async def test_a_look_without_push_takes_two_requests() -> None:
    link = host(printer=IDLE, job=job(None))
    look = await wire(link).look()
    assert link.asked == [PRINTER, "GET /api/job"]
    assert (look.status.print.state, look.job) == (PrintState.IDLE, "")
    assert (look.status.nozzle, look.status.bed_target) == (21.0, 0.0)
    assert look.status.heaters is Heaters.OFF


async def test_the_id_of_a_print_is_asked_once_and_again_when_it_may_be_another() -> None:
    link = host(
        printer=PRINTING, job=[job(elapsed=3), job(elapsed=4), job(elapsed=0)], file=kept(2, 1)
    )
    looks = wire(link)
    assert (await looks.look()).job == f"{PLACE}@7#3"
    await looks.look()
    assert link.asked.count(FILE) == 1
    link.answers[FILE] = kept(2, 2)
    assert (await looks.look()).job == f"{PLACE}@7#4"  # it begins anew: somebody restarted it


async def test_a_print_of_another_folder_or_of_the_card_is_known_by_its_file_alone() -> None:
    link = host(printer=PRINTING, job=[job("x.gcode"), job("X~1.GCO", origin="sdcard")])
    assert (await wire(link).look()).job == "local:x.gcode@7"
    assert (await wire(link).look()).job == "sdcard:X~1.GCO@7"
    assert FILE not in link.asked


async def test_a_second_nozzle_or_a_chamber_that_heats_is_heat() -> None:
    for name in ("tool1", "chamber"):
        heats: dict[str, Any] = {name: {"actual": 30, "target": 40}}
        link = host(printer=printer("operational", "ready", text="Operational", **heats))
        link.answers["GET /api/job"] = job(None)
        assert (await wire(link).look()).status.heaters is Heaters.ON


async def test_a_heater_whose_target_is_not_known_is_not_called_off() -> None:
    link = host(printer=printer("operational", "ready", bed={"actual": 30, "target": None}))
    link.answers["GET /api/job"] = job(None)
    assert (await wire(link).look()).status.heaters is Heaters.UNKNOWN


async def test_a_printer_that_is_not_connected_is_said_with_what_to_do() -> None:
    told = {"state": "Offline after error", "error": "Too many consecutive timeouts"}
    link = host(printer=(409, "no"), job=(200, told))
    words = r"\(Offline after error: Too many consecutive timeouts\): connect it in OctoPrint"
    with pytest.raises(DeviceError, match=words):
        await wire(link).look()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_in_trouble_says_nothing_of_the_printer(status: int) -> None:
    with pytest.raises(LinkClosed, match=f"does not serve now \\({status}\\): busy"):
        await wire(host(printer=(status, {"error": "busy"}))).look()


async def test_a_page_of_html_is_no_answer() -> None:
    with pytest.raises(BadReply):
        await wire(host(printer=(200, "<html>hello</html>"))).look()


# How our print has ended


@pytest.mark.parametrize(
    ("file", "result"),
    [
        (kept(1, last=True), PrintResult.DONE),
        (kept(0, 1, last=False), PrintResult.FAILED),
        (kept(1, 1, last=True), PrintResult.UNKNOWN),
        (kept(0), PrintResult.INTERRUPTED),
        ((404, "no"), PrintResult.UNKNOWN),
    ],
)
@pytest.mark.usefixtures("no_patience")
async def test_the_end_of_our_print_is_what_octoprint_has_of_its_file(
    file: Any, result: PrintResult
) -> None:
    link = host(printer=IDLE, job=job(None), file=file)
    link.kept.update(job=f"{PLACE}@7#0", result="NONE")
    look = await wire(link).look()
    assert (look.job, look.ended) == (f"{PLACE}@7#0", result)
    assert bool(look.reason) is (result is not PrintResult.DONE)


async def test_a_print_that_ends_while_it_is_looked_at_is_not_taken_for_another() -> None:
    link = host(printer=[PRINTING, IDLE], job=job(), file=kept(1, last=True))
    link.kept.update(job=f"{PLACE}@7#0", result="NONE")
    look = await wire(link).look()
    assert (look.job, look.ended) == (f"{PLACE}@7#0", PrintResult.DONE)


async def test_the_entry_of_an_end_may_come_a_moment_after_it() -> None:
    link = host(printer=IDLE, job=job(None), file=[kept(0), kept(1, last=True)])
    link.kept.update(job=f"{PLACE}@7#0", result="NONE")
    assert (await wire(link).look()).ended is PrintResult.DONE


class LatePush(Push):
    """A push that is there, and says why a print ended when it is asked again."""

    is_open = True

    async def take(self) -> None:
        self.turns += 1

    def end(self, path: str) -> dict[str, str]:
        return {"reason": "error", "error": "MAXTEMP triggered"} if self.turns > 2 else {}


async def test_why_a_print_ended_may_be_pushed_a_moment_after_its_entry() -> None:
    link = host(printer=IDLE, job=job(None), file=kept(0, 1, last=False))
    link.kept.update(job=f"{PLACE}@7#0", result="NONE")
    looks = wire(link)
    looks._push = LatePush(link)
    assert (await looks.look()).reason == "MAXTEMP triggered"


async def test_an_end_that_is_known_costs_no_further_request() -> None:
    link = host(printer=IDLE, job=job(None))
    link.kept.update(job=f"{PLACE}@7#0", result="CANCELLED", reason="somebody")
    look = await wire(link).look()
    assert (look.ended, look.reason) == (PrintResult.CANCELLED, "somebody")
    assert link.asked == [PRINTER, "GET /api/job"]


async def test_a_print_seen_being_cancelled_was_cancelled_though_nobody_of_ours_asked() -> None:
    cancelling = printer("operational", "printing", "cancelling")
    link = host(printer=[cancelling, cancelling, IDLE], job=job())
    link.answers[FILE] = [kept(0), kept(0, 1, last=False)]
    link.kept.update(job=f"{PLACE}@7#0", result="NONE")
    looks = wire(link)
    assert (await looks.look()).status.print.state is PrintState.CANCELLING
    look = await looks.look()
    assert look.ended is PrintResult.CANCELLED
    assert "somebody cancelled it" in look.reason


async def test_a_print_with_the_id_of_one_that_has_ended_is_another() -> None:
    link = host(printer=PRINTING, job=job(), file=kept(0))
    link.kept.update(job=f"{PLACE}@7#0", result="INTERRUPTED")
    device = OctoPrintPrinter(wire(link))
    values = await device.read(["print_owner", "print_state"])
    assert values["print_owner"] is PrintOwner.FOREIGN
