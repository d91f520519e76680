"""Who may talk to a printer with PrusaLink: by a key, or by Digest, whose challenges grow old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import AccessRefused
from drivers.protocol.printing import PrintState
from drivers.transport.access import Access
from drivers.transport.message import Body
from simulators.prusalink_access import NONCE_S
from tests.drivers.host_bench import with_key
from tests.drivers.print_files import MemoryFile
from tests.drivers.prusalink_bench import PrusaLinkBench, with_password

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[PrusaLinkBench]:
    async with PrusaLinkBench(tmp_path) as bench:
        yield bench


async def test_with_a_key_it_needs_no_password(tmp_path: Path) -> None:
    async with PrusaLinkBench(tmp_path, by_key=True) as bench:
        before = bench.requests
        assert await bench.value("print_state") is PrintState.IDLE
        assert bench.requests == before + 1
        await bench.printer.wire.upload(MemoryFile(), await MemoryFile().survey())
        assert bench.server.storage.has("part.gcode")
        assert not bench.server.printer.jobs, "it prints by an order of its own alone"


@pytest.mark.parametrize(
    ("access", "words"),
    [
        (lambda folder: with_password(folder, "another"), "access.user and its password"),
        (lambda folder: with_password(folder, user="root"), "access.user and its password"),
        (lambda folder: with_key(folder, "another"), "the key in access.key_file"),
        (lambda _: Access(), "give the device an `access`"),
    ],
)
async def test_who_may_not_is_told_what_to_do(tmp_path: Path, access: Any, words: str) -> None:
    bench = PrusaLinkBench(tmp_path)
    bench.access = access(tmp_path)
    async with bench.server:
        bench.link, bench.printer = bench.driver()
        async with bench.link:
            with pytest.raises(AccessRefused, match=words):
                await bench.printer.meet()
    assert bench.requests <= 2, "it does not try again and again"


async def test_a_password_that_is_changed_is_no_fault_of_the_link(bench: PrusaLinkBench) -> None:
    bench.server.access.password = "another"
    with pytest.raises(AccessRefused):
        await bench.value("nozzle")
    with pytest.raises(AccessRefused):
        await bench.printer.wire.upload(MemoryFile(), await MemoryFile().survey())
    assert bench.server.faults.counts["requests"] < 12
    assert not bench.server.storage.all()


async def test_an_old_challenge_costs_one_more_request_and_nobody_notices(
    bench: PrusaLinkBench,
) -> None:
    before = bench.requests
    await bench.value("nozzle")
    assert bench.requests == before + 1
    bench.server.access.now += NONCE_S
    await bench.value("nozzle")
    assert bench.requests == before + 3


async def test_a_body_is_sent_once_however_old_the_challenge_is(bench: PrusaLinkBench) -> None:
    begun = 0
    file = MemoryFile()

    def pieces() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        return file.pieces()

    for number, age in enumerate((0.0, NONCE_S - 0.001, NONCE_S, 10 * NONCE_S)):
        bench.server.access.now += age
        answer = await bench.link.ask(
            "PUT", f"/api/v1/files/usb/{number}.gcode", body=Body(file.size, pieces), within=5.0
        )
        assert answer.status == 201
    assert begun == 4


async def test_a_body_is_begun_anew_for_a_host_whose_challenges_serve_but_once(
    bench: PrusaLinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: set[str] = set()
    fresh = bench.server.access._fresh

    def once(nonce: str) -> bool:
        is_new = nonce not in used and fresh(nonce)
        used.add(nonce)
        bench.server.access.now += 0.01  # the next one differs
        return is_new

    monkeypatch.setattr(bench.server.access, "_fresh", once)
    file = MemoryFile()
    body = Body(file.size, file.pieces)
    answer = await bench.link.ask("PUT", "/api/v1/files/usb/a.gcode", body=body, within=5.0)
    assert answer.status == 201
    assert bench.server.storage.find("a.gcode").content == file.data
