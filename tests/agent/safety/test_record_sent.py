"""That something is sent is recorded behind its bytes, which wait for nothing but the intent."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.fleet.samples import Outcome, Status
from agent.fleet.sending import sending
from agent.safety.intended import Intended
from tests.agent.record_bench import KIM, recorded


async def test_bytes_go_out_before_the_record_that_they_do_and_that_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recorded(tmp_path) as it, asyncio.TaskGroup() as tasks:
        told: list[str] = []
        record = it.record.sent

        async def send() -> Outcome:
            sending()
            told.append("bytes")
            return Outcome(status=Status.DONE)

        async def set_(*_: object) -> Outcome:
            return await tasks.create_task(send())

        def recorded_as_sent(intent: Intended) -> None:
            told.append("record")
            record(intent)

        monkeypatch.setattr(it.bench.station.workers["psu1"], "set", set_)
        monkeypatch.setattr(it.record, "sent", recorded_as_sent)
        assert (await it.gate.set(KIM, "psu1", "voltage", 5)).status is Status.DONE
        assert told == ["bytes", "record"]
        assert [stage for _, stage in await it.stages()] == ["intent", "sent", "confirmed"]
