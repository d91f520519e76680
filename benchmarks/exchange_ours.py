"""An exchange of ours as drivers make it: `python -m benchmarks.exchange_ours BARE_PORT PORT`.

It takes the link's turn, sends, and waits for the whole reply under all four time-outs, with the
flight recorder on, on the agent's loop. `scpi` is a query of the SCPI wire on top of it, with its
reply parsed. Rounds come and go as in `exchange_pyserial`.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import cast

from agent.loop import new_event_loop
from benchmarks.exchange import (
    QUERIES,
    REPLIES,
    SLICE,
    WARM_UP,
    Slice,
    bare,
    rounds,
    summary,
    timed,
)
from drivers.protocol.scpi_wire import Scpi
from drivers.transport.address import Address
from drivers.transport.lines import Lines
from drivers.transport.link import Link, Timeouts
from drivers.transport.turn import Turn

Exchange = Callable[[bytes], Awaitable[bytes]]


async def main() -> None:
    """Time bare exchanges and ours in turns."""
    nearest = bare(sys.argv[1])
    async with cast(Link, Lines().link(Address.parse(f"serial://{sys.argv[2]}"))) as link:
        with_turn, with_scpi = _with_turn(link), _with_scpi(link)
        for count in rounds():
            slices = [
                {
                    "bare": timed(nearest),
                    "ours": await _timed(with_turn),
                    "scpi": await _timed(with_scpi),
                }
                for _ in range(count)
            ]
            print(json.dumps(summary(slices)), flush=True)


def _with_turn(link: Link) -> Exchange:
    timeouts = Timeouts()
    turn = Turn(lambda: link.resync(timeouts.next_byte))

    async def exchange(query: bytes) -> bytes:
        async def talk() -> bytes:
            link.discard()
            await link.send(query)
            return await link.receive_until(b"\n", timeouts) + b"\n"

        return await turn.take(talk, within=timeouts.turn)

    return exchange


def _with_scpi(link: Link) -> Exchange:
    wire = Scpi(link)

    async def exchange(query: bytes) -> bytes:
        return await wire.ask(query[:-1].decode(), parse=str.encode) + b"\n"

    return exchange


async def _timed(exchange: Exchange) -> Slice:
    """As `exchange.timed`, but awaited."""
    for n in range(WARM_UP):
        await exchange(QUERIES[n])
    times, wrong = [], 0
    for n in range(SLICE):
        began = time.perf_counter()
        reply = await exchange(QUERIES[n])
        times.append(time.perf_counter() - began)
        wrong += reply != REPLIES[n]
    return times, wrong


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main())
