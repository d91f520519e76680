"""The broker of config/mosquitto: a station writes and reads as itself, and as nobody else."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from agent.settings import BrokerTls
from tests.agent.bench import station_in_memory
from tests.lab.broker_session import COMMAND, EVENT, REPLY, STATE, STATUS, Place, session
from tests.lab.locked_broker import SCRIPT, Authority, LockedBroker, locked_broker
from tests.lab.processes import child, free_port, short_folder
from tests.lab.witness import Witness, witness

pytestmark = pytest.mark.lab

CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts.md"
TOPICS = re.findall(r"^\| `(lab/v1/<station>/\S+)` \|", CONTRACTS.read_text("utf-8"), re.MULTILINE)


def of(station: str) -> list[str]:
    """A topic of every class of a station's topics."""
    names = {"station": station, "verb": "set", "id": "r-1"}
    return [re.sub(r"<(\w+)>", lambda it: names.get(it[1], "psu1"), topic) for topic in TOPICS]


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    folder = short_folder()
    yield Authority(folder / "authority")
    shutil.rmtree(folder)


@pytest.fixture
async def broker(folder: Path, authority: Authority) -> AsyncIterator[LockedBroker]:
    async with locked_broker(folder / "broker", authority) as running:
        yield running


@pytest.fixture
def client(broker: LockedBroker, authority: Authority) -> Client:
    return Client(broker, authority)


class Client:
    """A client of the broker by the name in its certificate, which hears all that it may."""

    def __init__(self, broker: LockedBroker, authority: Authority) -> None:
        self._broker, self._authority = broker, authority

    def __call__(self, name: str, **more: Any) -> AbstractAsyncContextManager[Witness]:
        return witness(self._broker, tls_context=self._authority.context(name), **more)


async def test_an_agent_and_a_program_talk_by_their_certificates(
    client: Client, broker: LockedBroker, authority: Authority
) -> None:
    async with station_in_memory() as bench, client("planner") as planner:
        async with session(bench, broker, tls=authority.client("bench-1")) as agent:
            await planner.until(STATUS, lambda it: it["state"] == "online")
            await planner.until(STATE)
            answer = await planner.ask(
                COMMAND + "read",
                response_topic=REPLY + "planner",
                id="1",
                device="psu1",
                name="voltage",
            )
            assert answer.form["status"] == "done", answer.form
            assert agent.connected
        left = await planner.until(STATUS, lambda it: it["state"] == "offline")
        assert left.topic == STATUS


def test_every_class_of_topics_is_walked() -> None:
    assert len(TOPICS) == 9, TOPICS


async def test_a_station_writes_as_another_nowhere(client: Client) -> None:
    async with client("reader") as reader, client("bench-2") as other:
        for topic in of("bench-1"):
            await other.publish(topic, b'"forged"', retain="command" not in topic)
        await other.publish("lab/v1/bench-2/event", b'"its own"')
        await reader.until("lab/v1/bench-2/event")
        assert [it.topic for it in reader.heard] == ["lab/v1/bench-2/event"]


async def test_a_station_reads_nothing_of_another(client: Client) -> None:
    own = "lab/v1/bench-2/command/read"
    async with client("planner") as planner, client("bench-1") as one, client("bench-2") as other:
        for topic in of("bench-1"):
            await (planner if "command" in topic else one).publish(topic, b'"private"', retain=True)
        await planner.publish(own, b"{}")
        await other.until(own)
        assert [it.topic for it in other.heard] == [own]
    async with client("bench-2") as later, client("planner") as planner:
        await planner.publish(own, b"{}")  # what is retained was kept from it too
        await later.until(own)
        assert {it.topic for it in later.heard} == {own}


async def test_a_last_will_says_nothing_in_the_name_of_another(
    client: Client, broker: LockedBroker, authority: Authority
) -> None:
    will = aiomqtt.Will(STATUS, b'"forged"', qos=1, retain=True)
    tls = authority.context("bench-2")
    async with client("reader") as reader:
        with contextlib.suppress(aiomqtt.MqttError):  # its successor takes over its connection
            async with aiomqtt.Client(broker.host, broker.port, tls_context=tls, will=will):
                async with client("bench-2") as successor:
                    await successor.publish("lab/v1/bench-2/event", b'"after the will"')
                    await reader.until("lab/v1/bench-2/event")
        assert [it.topic for it in reader.heard] == ["lab/v1/bench-2/event"]


async def test_a_client_takes_over_nobodys_connection(client: Client) -> None:
    async with client("bench-1", identifier="bench-1") as one, client("planner") as planner:
        async with client("bench-2", identifier="bench-1"):
            await planner.publish(COMMAND + "read", b'"still heard"')
            await one.until(COMMAND + "read")


async def test_those_who_look_and_those_who_plan_speak_for_no_station(client: Client) -> None:
    async with client("bench-1") as one, client("planner") as planner, client("reader") as reader:
        for topic in of("bench-1"):
            await reader.publish(topic, b'"forged"')
        for topic in of("bench-1"):
            if "command" not in topic:
                await planner.publish(topic, b'"forged"')
        await one.publish(EVENT, b'"its own"')
        await planner.until(EVENT)
        assert [it.form for it in planner.heard] == ["its own"]
        assert not one.heard


async def test_a_name_that_the_acl_does_not_know_is_a_station_and_no_more(client: Client) -> None:
    async with client("newcomer") as newcomer, client("bench-1") as one:
        await one.publish(EVENT, b"{}")
        await newcomer.publish("lab/v1/bench-1/command/stop", b"{}")
        await newcomer.publish("lab/v1/newcomer/status", b'"mine"', retain=True)
        await newcomer.until("lab/v1/newcomer/status")
        assert len(newcomer.heard) == 1
        assert not one.heard


async def test_what_is_retained_outlives_a_restart(client: Client, broker: LockedBroker) -> None:
    async with client("bench-1") as one:
        await one.publish(STATUS, b'"kept"', retain=True)
    await broker.stop()
    await broker.start()
    async with client("reader") as reader:
        assert (await reader.until(STATUS)).form == "kept"


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("nobody", "it asks for a certificate: give mqtt.tls.certificate and key"),
        ("foreign", "it does not know who signed mqtt.tls.certificate"),
        ("revoked", "mqtt.tls.certificate was revoked: ask for a new one"),
        ("ended", "mqtt.tls.certificate is past its last day: renew it"),
        ("unbelieving", "its certificate is not to be believed: self-signed certificate"),
        ("elsewhere", "its certificate is not to be believed: Hostname mismatch"),
        ("plain", "no broker answers"),
    ],
)
async def test_who_is_not_let_in_is_told_why(
    broker: LockedBroker, authority: Authority, folder: Path, who: str, said: str
) -> None:
    tls = wrong(who, authority, folder)
    if who == "revoked":
        await broker.stop()
        await broker.start()
    host = "localhost" if who == "elsewhere" else broker.host
    async with station_in_memory() as bench:
        async with session(bench, Place(host, broker.port), tls=tls) as agent:
            assert said in await bench.until_event("mqtt.lost")
            assert not agent.connected


def wrong(who: str, authority: Authority, folder: Path) -> BrokerTls | None:
    """The files of one who is not to be let in."""
    mine = authority.client("bench-1")
    match who:
        case "nobody":
            return BrokerTls(authority=mine.authority)
        case "foreign":
            foreign = Authority(folder / "foreign").client("bench-1")
            return foreign.model_copy(update={"authority": mine.authority})
        case "unbelieving":
            foreign = Authority(folder / "foreign").client("bench-1")
            return mine.model_copy(update={"authority": foreign.authority})
        case "revoked":
            taken_back = authority.client("taken-back")
            authority.do("revoke", "taken-back")
            return taken_back
        case "ended":
            words = ("--folder", authority.folder, "client", "ended")
            subprocess.run(["faketime", "3 years ago", SCRIPT, *words], check=True, timeout=30)
            return authority.client("ended")
        case "plain":
            return None
    return mine


async def test_a_tls_of_yesterday_is_not_spoken(authority: Authority) -> None:
    port = free_port()
    files = ("-cert", authority.folder / "broker.crt", "-key", authority.folder / "broker.key")
    async with child("openssl", "s_server", "-tls1_2", "-port", str(port), *map(str, files)) as old:
        assert old.stdout is not None
        await old.stdout.readuntil(b"ACCEPT")
        async with station_in_memory() as bench:
            async with session(
                bench, Place("127.0.0.1", port), tls=authority.client("bench-1")
            ) as agent:
                await bench.until_event("mqtt.lost")
                assert not agent.connected
