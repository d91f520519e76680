"""JSON-RPC over one WebSocket: replies by id, changes in order, readers that come and go."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import AccessRefused, BadReply, LinkClosed, LinkTimeout
from drivers.protocol.moonraker_objects import Mirror
from drivers.protocol.moonraker_socket import Conversation, Refused, short

WITHIN = 10.0


class Wire:
    """A WebSocket whose other end is the test."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.coming: asyncio.Queue[str | None] = asyncio.Queue()

    async def send(self, text: str) -> None:
        self.sent.append(json.loads(text))

    async def receive(self, within: float) -> str:
        text = await self.coming.get()
        if text is None:
            self.coming.put_nowait(None)  # closed once is closed for good
            raise LinkClosed("lost")
        return text

    def say(self, message: object) -> None:
        self.coming.put_nowait(message if isinstance(message, str) else json.dumps(message))

    def reply(self, number: int, result: object) -> None:
        self.say({"jsonrpc": "2.0", "id": number, "result": result})

    def notify(self, name: str, *params: object) -> None:
        self.say({"jsonrpc": "2.0", "method": name, "params": list(params)})


class Talk:
    def __init__(self) -> None:
        self.wire, self.heard = Wire(), list[tuple[str, list[Any]]]()
        self.conversation = Conversation(
            self.wire, lambda name, params: self.heard.append((name, params))
        )

    async def ask(self, method: str, within: float = WITHIN) -> Any:
        return await self.conversation.ask(method, within=within)


async def until_asked(talk: Talk, count: int) -> None:
    while len(talk.wire.sent) < count:
        await asyncio.sleep(0)


async def test_each_request_has_an_id_of_its_own_and_its_parameters() -> None:
    talk = Talk()
    talk.wire.reply(1, "one")
    talk.wire.reply(2, "two")
    assert await talk.ask("server.info") == "one"
    assert await talk.conversation.ask("a.b", {"c": [1, None]}, within=WITHIN) == "two"
    assert talk.wire.sent == [
        {"jsonrpc": "2.0", "method": "server.info", "params": {}, "id": 1},
        {"jsonrpc": "2.0", "method": "a.b", "params": {"c": [1, None]}, "id": 2},
    ]


@given(order=st.permutations(range(1, 9)), noise=st.lists(st.integers(0, 8), max_size=20))
def test_replies_in_any_order_reach_who_asked(order: list[int], noise: list[int]) -> None:
    async def converse() -> None:
        talk = Talk()
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(talk.ask(f"m{n}")) for n in range(1, 9)]
            await until_asked(talk, 8)
            for place, number in enumerate(order):
                for _ in range(noise.count(place)):
                    talk.wire.notify("notify_proc_stat_update", place)
                talk.wire.reply(number, f"to {number}")
        assert [task.result() for task in asking] == [f"to {n}" for n in range(1, 9)]

    asyncio.run(converse())


@given(
    gone=st.sets(st.integers(0, 5), max_size=5),
    order=st.permutations(range(6)),
)
def test_who_gives_up_leaves_the_reading_to_others(gone: set[int], order: list[int]) -> None:
    async def converse() -> None:
        talk = Talk()
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(talk.ask(f"m{n}")) for n in range(6)]
            await until_asked(talk, 6)
            for number in order:
                if number in gone:
                    asking[number].cancel()
                await asyncio.sleep(0)
                talk.wire.reply(number + 1, number)
        for number, task in enumerate(asking):
            assert task.cancelled() if number in gone else task.result() == number

    asyncio.run(converse())


async def test_a_reply_after_its_time_is_ignored() -> None:
    talk = Talk()
    with pytest.raises(LinkTimeout, match=r"slow: no answer within 0.01 s"):
        await talk.ask("slow", within=0.01)
    talk.wire.reply(1, "too late")
    talk.wire.reply(2, "in time")
    assert await talk.ask("quick") == "in time"
    assert not talk.conversation._calls


async def test_who_waits_long_does_not_keep_others_from_their_replies() -> None:
    talk = Talk()
    async with asyncio.TaskGroup() as tasks:
        long = tasks.create_task(talk.ask("long", within=5.0))
        await until_asked(talk, 1)
        for number in range(2, 50):
            talk.wire.reply(number, number)
            assert await talk.ask("short", within=0.5) == number
        talk.wire.reply(1, "done")
    assert long.result() == "done"


async def test_all_who_wait_hear_that_the_socket_is_lost() -> None:
    talk = Talk()
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(_error(talk)) for _ in range(5)]
        await until_asked(talk, 5)
        talk.wire.coming.put_nowait(None)
    assert {task.result() for task in asking} == {LinkClosed}


async def _error(talk: Talk) -> type[Exception] | None:
    try:
        await talk.ask("m")
    except LinkClosed as error:
        return type(error)
    return None


async def test_what_comes_after_a_reply_is_taken_in_after_its_result() -> None:
    wire, mirror = Wire(), Mirror()
    conversation = Conversation(wire, mirror.notified)
    async with asyncio.TaskGroup() as tasks:
        other = tasks.create_task(conversation.ask("other", within=WITHIN))  # it is who reads
        await asyncio.sleep(0)
        tasks.create_task(
            conversation.ask("printer.objects.subscribe", within=WITHIN, take=mirror.take_all)
        )
        await asyncio.sleep(0)
        wire.reply(2, {"status": {"extruder": {"temperature": 20.0, "target": 0.0}}})
        wire.notify("notify_status_update", {"extruder": {"temperature": 21.0}}, 1.0)
        wire.reply(1, "ok")
        await other
    assert mirror.objects == {"extruder": {"temperature": 21.0, "target": 0.0}}


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        ({"code": 400, "message": "Must home axis first"}, Refused, r"m: Must home .* \(400\)"),
        ({"code": -32601, "message": "Method not found"}, Refused, "not found"),
        ({"code": -32602, "message": "Invalid params:"}, Refused, "Invalid params"),
        ({"code": -32602, "message": "Unauthorized"}, AccessRefused, "access.key_file"),
        ({"code": 401, "message": "x"}, AccessRefused, "access.key_file"),
        ({"code": 403, "message": "x"}, AccessRefused, "access.key_file"),
        ({"code": "400", "message": "x"}, BadReply, "neither a result nor an error"),
        ({"code": 400}, BadReply, "neither a result nor an error"),
        (None, BadReply, "neither a result nor an error"),
    ],
)
async def test_an_error_is_who_asked_its_error(
    error: object, kind: type[Exception], words: str
) -> None:
    talk = Talk()
    talk.wire.say({"jsonrpc": "2.0", "id": 1, "error": error})
    with pytest.raises(kind, match=words) as caught:
        await talk.ask("m")
    assert type(caught.value) is kind


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '"a"', '{"id": null, "error": {}}', "{}"])
async def test_what_is_no_json_rpc_is_a_bad_reply_and_the_next_one_is_good(text: str) -> None:
    talk = Talk()
    talk.wire.say(text)
    with pytest.raises(BadReply):
        await talk.ask("m")
    talk.wire.reply(2, "good")
    assert await talk.ask("m") == "good"


async def test_what_a_taker_can_not_take_is_the_error_of_who_asked() -> None:
    wire, mirror = Wire(), Mirror()
    conversation = Conversation(wire, mirror.notified)
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(conversation.ask("other", within=WITHIN))
        await asyncio.sleep(0)
        bad = tasks.create_task(_bad(conversation, mirror))
        await asyncio.sleep(0)
        wire.reply(2, {"status": [1]})
        wire.reply(1, "ok")
    assert reading.result() == "ok"
    assert bad.result()


async def _bad(conversation: Conversation, mirror: Mirror) -> bool:
    with pytest.raises(BadReply):
        await conversation.ask("subscribe", within=WITHIN, take=mirror.take_all)
    return True


@given(st.text())
def test_a_strangers_words_are_one_printable_line_of_bounded_length(text: str) -> None:
    line = short(text)
    assert len(line) <= 200
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
