"""Who is urgent goes before all who wait, whatever becomes of them meanwhile."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from drivers import urgent
from drivers.errors import TurnTimeout
from drivers.transport.turn import Turn
from tests.drivers.virtual_time import run


class Bus:
    """A turn whose exchanges take a second each, and the order in which they took place."""

    def __init__(self) -> None:
        self.turn = Turn(self._resync)
        self.order: list[str] = []

    async def _resync(self) -> None:
        raise AssertionError("nothing here is left in doubt")

    async def ask(self, name: str, within: float = 1000.0) -> None:
        async def exchange() -> None:
            self.order.append(name)
            await asyncio.sleep(1.0)

        try:
            await self.turn.take(exchange, within=within)
        except TurnTimeout:
            self.order.append(f"{name} gave up")

    async def stop(self, name: str, exchanges: int = 1) -> None:
        with urgent():
            for _ in range(exchanges):
                await self.ask(name)


async def _later(seconds: float, bus: Bus, name: str, exchanges: int) -> None:
    await asyncio.sleep(seconds)
    await bus.stop(name, exchanges)


def test_a_stop_waits_for_the_exchange_under_way_and_for_no_other() -> None:
    async def scenario() -> list[str]:
        bus = Bus()
        async with asyncio.TaskGroup() as tasks:
            for number in range(6):
                tasks.create_task(bus.ask(str(number)))
            tasks.create_task(_later(0.5, bus, "stop", 2))
        return bus.order

    order = run(scenario())
    assert order[:2] == ["0", "stop"]
    assert order.index("stop", 2) <= 3  # its next exchange waits for one at most
    assert [name for name in order if name != "stop"] == list("012345")


@given(
    st.lists(
        st.tuples(
            st.floats(0, 9), st.booleans(), st.sampled_from([0.3, 1.5, 1000.0]), st.booleans()
        ),
        max_size=12,
    )
)
def test_whoever_comes_gives_up_or_goes_away_nobody_is_forgotten(
    callers: list[tuple[float, bool, float, bool]],
) -> None:
    async def call(bus: Bus, number: int, when: float, hurry: bool, within: float) -> None:
        await asyncio.sleep(when)
        if hurry:
            await bus.stop(str(number))
        else:
            await bus.ask(str(number), within)

    async def scenario() -> None:
        bus = Bus()
        async with asyncio.TaskGroup() as tasks:
            for number, (when, hurry, within, leaves) in enumerate(callers):
                task = tasks.create_task(call(bus, number, when, hurry, within))
                if leaves:
                    asyncio.get_running_loop().call_later(when + 0.7, task.cancel)
        async with asyncio.timeout(2.0):  # and the link is free for the next
            await bus.ask("last", within=1.0)
        assert bus.order[-1] == "last"
        assert not bus.turn._queue
        assert not bus.turn._urgent

    run(scenario())
