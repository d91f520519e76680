"""A turn that is taken without waiting, for an exchange that waits once at most."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from drivers.errors import BadReply
from tests.drivers.test_turn import Wire, played


def test_a_turn_that_is_begun_at_once_keeps_others_out_and_is_then_theirs() -> None:
    async def scene(wire: Wire) -> None:
        assert wire.turn.begin()
        assert not wire.turn.begin()
        waiting = asyncio.gather(wire.take("b"))
        await asyncio.sleep(1.0)
        wire.diary.append("a answered")
        wire.turn.trust()
        wire.turn.end()
        assert not wire.turn.begin(), "the turn is b's from this moment on"
        await waiting
        assert wire.turn.begin()

    assert played(scene) == ["a answered", "b sent", "b answered"]


def test_an_exchange_begun_at_once_and_not_trusted_leaves_the_link_in_doubt() -> None:
    async def scene(wire: Wire) -> None:
        assert wire.turn.begin()
        wire.turn.end()
        assert not wire.turn.begin(), "it has to get in step, which takes a wait"
        await wire.take("b")

    assert played(scene) == ["resync", "b sent", "b answered"]


def test_an_exchange_that_goes_on_is_judged_as_any_other() -> None:
    async def scene(wire: Wire) -> None:
        for error in (None, BadReply("?")):
            assert wire.turn.begin()
            with suppress(BadReply):
                await wire.turn.go_on(wire.exchange("a", error=error))
            wire.turn.end()
        await wire.take("b")

    assert played(scene) == ["a sent", "a answered", "a sent", "resync", "b sent", "b answered"]
