"""The session with the broker: kept for ever, begun anew whenever it is lost.

The only file that imports the MQTT library. Its client lives as long as one connection, because
the last will bears the session's number, and because nothing of an old connection may survive.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import compress
from random import Random
from typing import Any, Final

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.errors import ConfigError
from agent.mqtt.attempts import again_and_again
from agent.mqtt.inbox import Inbox, Letter
from agent.mqtt.line_log import LineLog
from agent.mqtt.news import News
from agent.mqtt.outbox import Message, Outbox, Publish
from agent.mqtt.publications import Publications
from agent.mqtt.rights import Rights
from agent.mqtt.status import Outnumbered, Seen, Session, next_session, session_of
from agent.mqtt.tls import refusal, tls_to_broker
from agent.mqtt.topics import Topics
from agent.settings import Mqtt, read_secret
from agent.station import Station

ANSWER_S: Final = 5.0
"""How long the broker may take to answer before it is taken for lost."""
FAREWELL_S: Final = 0.3
"""For each of three last things: to send what waits, to say farewell, and to disconnect."""
INCOMING: Final = 1000
NODELAY: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""With Nagle's algorithm at either end, an answer takes 40 ms longer."""
TAKEN_OVER: Final = 142  # MQTT 5.0, section 3.14.2.1: another connection uses the client id

log = logging.getLogger("labkeeper")


class BrokerSession:
    """Publishes what the station knows, and takes requests, for as long as `run` runs."""

    def __init__(self, station: Station, settings: Mqtt, rng: Random) -> None:
        self.connected = False
        self.connects = self.published = self.refused = 0
        self._dropped = 0  # before this connection
        self.told = asyncio.Event()  # a broker acknowledged how all stands, or the first try failed
        self._station, self._settings, self._rng = station, settings, rng
        self._v5 = settings.protocol == "5"
        self._topics = Topics(station.name)
        self._outbox = Outbox()
        self._publications = Publications(
            station, self._topics, self._outbox, settings.min_interval
        )
        self._inbox = Inbox(station, self._topics, settings.role)
        self._session = Session(station=station.name, version=station.version, number=0, begun=0.0)
        self._line_log = LineLog()
        self._news = News(station.events, f"{settings.host}:{settings.tcp_port}")
        self._rights = Rights(self._topics.reply("doctor"), self._news.denied, tells=self._v5)
        self.tried = self._rights.tried

    @property
    def waiting(self) -> int:
        """Messages that wait for the broker."""
        return len(self._outbox)

    @property
    def dropped(self) -> int:
        """Messages that waited too long and had no room, since the agent started."""
        return self._dropped + self._outbox.dropped

    def refuse_requests(self) -> None:
        """Carry out no more than stops, because the agent is ending."""
        self._inbox.closed = True

    async def run(self) -> None:
        """Keep a session until cancelled; then say farewell, which takes a second at most."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._publications.forward(), name="mqtt.events")
            await again_and_again(self._one_connection, self._station.clock, self._rng)

    async def _one_connection(self) -> None:
        """Serve one connection until it is lost, and say so where that is news."""
        now = self._station.clock.utc()
        number = next_session(now, self._session.number)
        self._session = replace(self._session, number=number, begun=now)
        self._line_log.reason = ""
        try:
            async with self._line() as client:
                await self._converse(client)
        except Exception as error:  # a defect here must not end the station
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError from error
            self._say_lost(_first(error))
        finally:
            self.connected = False
            self._outbox.forget_retained()
            self.told.set()

    async def _converse(self, client: aiomqtt.Client) -> None:
        publish = partial(self._publish, client)
        try:
            await self._subscribe(client)
            self._say_connected()
            self._rights.begin(client._client)  # noqa: SLF001 - the library does not pass it on
            async with asyncio.TaskGroup() as line:
                line.create_task(self._publications.run(self._session.birth), name="mqtt.announce")
                line.create_task(self._outbox.deliver(publish), name="mqtt.deliver")
                await self._receive(client)
        except asyncio.CancelledError:
            await self._say_farewell(publish)
            raise

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        """Subscribe, and say once which topics the broker does not let the agent hear."""
        commands = [self._topics.commands] if self._settings.commands else []
        topics = [self._topics.status, *self._publications.filters, *commands]
        granted = await client.subscribe([(topic, self._manner(topic)) for topic in topics])
        refused = [isinstance(code, ReasonCode) and code.is_failure for code in granted]
        self._news.subscribed(tuple(compress(topics, refused)))

    def _manner(self, topic: str) -> Any:
        """How to subscribe.

        MQTT 5 alone can show at once that a request is retained, and keep from the agent what it
        said itself.
        """
        if not self._v5:
            return 1
        said = topic in self._publications.filters
        return SubscribeOptions(1, noLocal=said, retainAsPublished=topic == self._topics.commands)

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic, payload = str(message.topic), bytes(message.payload)
            if topic == self._topics.status:
                self._see_status(payload, message.retain)
            elif verb := self._topics.verb(topic):
                self._tasks.create_task(self._answer(Letter.of(verb, message)), name="mqtt.request")
            elif message.retain and payload:
                self._publications.see_kept(topic)

    async def _answer(self, letter: Letter) -> None:
        if reply := await self._inbox.answer(letter):
            self._outbox.post(reply)
        self.refused = self._inbox.refused

    def _see_status(self, payload: bytes, retained: bool) -> None:
        """Have the last word on the own station's status, but for a later session."""
        match self._session.sees(payload):
            case Seen.NEWER if retained:
                self._session = replace(self._session, number=session_of(payload))
                raise Outnumbered
            case Seen.NEWER:
                self._news.rival(self._topics.status)
            case Seen.OLDER if not retained:
                self._outbox.retain(self._topics.status, self._session.birth)

    async def _publish(self, client: aiomqtt.Client, message: Message) -> None:
        properties = None
        if self._v5 and message.correlation is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = message.correlation
        await client.publish(
            message.topic, message.payload, qos=1, retain=message.retain, properties=properties
        )
        self.published += 1
        if message.topic == self._topics.status:  # the birth, which comes after all else
            self.told.set()

    async def _say_farewell(self, publish: Publish) -> None:
        """Send what waits, as far as time allows, and then that the agent ended in order."""
        self._publications.catch_up()
        farewell = self._session.farewell(self._station.clock.utc())
        last = Message(topic=self._topics.status, payload=farewell, retain=True)
        await _in_time(self._outbox.drain(publish))
        await _in_time(publish(last))

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[aiomqtt.Client]:
        """A connection, ended in order. Raises aiomqtt.MqttError or ConfigError."""
        client = await self._client()
        opening = self._tasks.create_task(_opened(client), name="mqtt.open")
        try:
            failure = await asyncio.shield(opening)
        except asyncio.CancelledError:
            await asyncio.wait([opening], timeout=FAREWELL_S)  # cut short, it would leak its socket
            if opening.done() and opening.result() is None:
                await _close(client)
            raise
        if failure is not None:
            raise failure
        try:
            yield client
        finally:
            await _close(client)

    async def _client(self) -> aiomqtt.Client:
        settings, password, tls = self._settings, None, None
        if settings.password_file is not None:
            password = await asyncio.to_thread(read_secret, settings.password_file)
        if settings.tls is not None:
            tls = await asyncio.to_thread(tls_to_broker, settings.tls)
        client = aiomqtt.Client(
            settings.host,
            settings.tcp_port,
            tls_context=tls,
            logger=self._line_log.logger,
            username=settings.username,
            password=password,
            identifier=settings.client_id or self._station.name,
            protocol=aiomqtt.ProtocolVersion.V5 if self._v5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if self._v5 else True,
            clean_start=True if self._v5 else MQTT_CLEAN_START_FIRST_ONLY,
            will=aiomqtt.Will(self._topics.status, self._session.will, qos=1, retain=True),
            timeout=ANSWER_S,
            keepalive=settings.keepalive,
            max_queued_incoming_messages=INCOMING,
            socket_options=NODELAY,
        )
        client.pending_calls_threshold = INCOMING
        client._client.connect_timeout = ANSWER_S  # noqa: SLF001 - a thread is lost for so long
        return client

    def _say_connected(self) -> None:
        self.connected = True
        self.connects += 1
        self._news.dropped(self._outbox.dropped)
        self._dropped += self._outbox.dropped
        self._outbox.dropped = 0
        self._news.connected(self._session.number, self._settings.protocol)

    def _say_lost(self, error: Exception) -> None:
        match error:
            case Outnumbered():  # the clock was set back; the next session has a higher number
                return
            case MqttConnectError() | ConfigError():
                self._news.turned_away(str(error))
            case aiomqtt.MqttCodeError(rc=ReasonCode(value=code)) if code == TAKEN_OVER:
                self._news.turned_away("another client took over its client_id")
            case aiomqtt.MqttError():
                self._news.lost(refusal(self._line_log.reason or str(error)))
            case _:
                self._news.defect(error)


async def _opened(client: aiomqtt.Client) -> Exception | None:
    """The error as a value: a connection that fails must not end the tasks beside it."""
    paho, connected = client._client, client._connected  # noqa: SLF001 - aiomqtt misses two ends
    after = paho.on_disconnect

    def closed(*how: Any) -> None:
        if not connected.done():
            connected.set_exception(aiomqtt.MqttError("it closed the connection unanswered"))
        after(*how)  # type: ignore[misc]

    paho.on_disconnect = closed
    try:
        await client.__aenter__()
    except Exception as error:  # noqa: BLE001 - raised again by the one who waits
        paho.disconnect()  # else the socket stays open when no answer came
        return error
    return None


async def _close(client: aiomqtt.Client) -> None:
    await _in_time(client.__aexit__(None, None, None))
    ended = client._disconnected  # noqa: SLF001 - else asyncio complains that nobody looked
    if ended.done() and not ended.cancelled():
        ended.exception()


async def _in_time(last_thing: Coroutine[Any, Any, None]) -> None:
    """Do what is polite before the end, as far as time and broker allow."""
    try:
        async with asyncio.timeout(FAREWELL_S):
            await last_thing
    except (TimeoutError, aiomqtt.MqttError) as error:
        log.debug("the broker took no more before the end: %r", error)


def _first(error: Exception) -> Exception:
    """What lies behind a group of errors: a defect before all, else why the connection ended."""
    if isinstance(error, ExceptionGroup):
        causes = [_first(cause) for cause in error.exceptions]
        return next((c for c in causes if not isinstance(c, aiomqtt.MqttError)), causes[0])
    cause = error.__cause__ if isinstance(error, aiomqtt.MqttError) else None
    return cause if isinstance(cause, aiomqtt.MqttError) else error
