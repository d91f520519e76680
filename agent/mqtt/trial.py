"""A broker tried once: logged in, an empty message that nobody waits for, and gone again.

The agent's own session is in `session`. This is for the doctor, where no agent runs: at a broker
that calls clients by their certificates it would throw the agent out.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from agent.mqtt.tls import refusal, tls_to_broker
from agent.mqtt.topics import Topics
from agent.settings import Mqtt, read_secret

WITHIN_S: Final = 2.5
TICK_S: Final = 0.05
NAME: Final = "doctor"


@dataclass(kw_only=True, slots=True)
class Trial:
    """What a broker answered.

    Attributes:
        topic: What was written to, a topic of the station's own.
        turned_away: Why there is no login; "" where there is one.
        denied: Why it may not write there; "" where it may, None where the broker did not tell.
    """

    topic: str
    turned_away: str = "it did not answer"
    denied: str | None = None
    is_over: bool = False


def trial(settings: Mqtt, station: str, within: float = WITHIN_S) -> Trial:
    """Try it, for `within` seconds at most. Raises ConfigError: a file is not as it should be."""
    found = Trial(topic=Topics(station).reply(NAME))
    client = _client(settings, f"{settings.client_id or station}-{NAME}", found)
    client.connect_timeout = within
    end = monotonic() + within
    try:
        client.connect(settings.host, settings.tcp_port, keepalive=settings.keepalive)
        while not found.is_over and monotonic() < end:
            if client.loop(TICK_S):
                break
        client.disconnect()
        client.loop(TICK_S)
    except OSError as error:
        found.turned_away = refusal(error.strerror or str(error))
    return found


def _client(settings: Mqtt, name: str, found: Trial) -> Client:
    is_v5 = settings.protocol == "5"
    client = Client(
        CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5 if is_v5 else MQTTv311
    )
    if settings.username is not None:
        file = settings.password_file
        client.username_pw_set(settings.username, read_secret(file) if file else None)
    if settings.tls is not None:
        client.tls_set_context(tls_to_broker(settings.tls))

    def connected(_: Client, __: Any, ___: Any, code: Any, *____: Any) -> None:
        found.turned_away = str(code) if code.is_failure else ""
        found.is_over = code.is_failure
        if not code.is_failure:
            client.publish(found.topic, b"", qos=1, retain=False)

    def published(_: Client, __: Any, ___: int, code: Any, *____: Any) -> None:
        if is_v5:  # before version 5 a broker says the same whether or not it took it
            found.denied = str(code) if code.is_failure else ""
        found.is_over = True

    client.on_connect, client.on_publish = connected, published
    return client
