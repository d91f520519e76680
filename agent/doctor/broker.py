"""The broker: reached, believed, and willing to take what the station says.

A broker may call each client by its certificate. Whoever logs in there with the station's certificate
then throws the agent out: where an agent runs it is asked to try it in its own session, and where one
may run nobody does.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.doctor.certificates import is_hidden, lasts
from agent.doctor.finding import Finding, right, unknown, wrong
from agent.doctor.patient import Patient
from agent.errors import AgentError
from agent.languages.message import N_, Message

if TYPE_CHECKING:
    from agent.settings import BrokerTls, Mqtt

WITHIN_S: Final = 2.0
REFUSED_WITHIN_S: Final = 0.3
"""In TLS 1.3 a broker refuses a certificate after the handshake, by what it sends next."""
LOOK: Final = N_("see that the broker runs, and mqtt.host and mqtt.port in the config")
ADMINISTRATOR: Final = N_("ask who manages the broker; docs/broker.md says what a station needs")


def broker(patient: Patient) -> Iterator[Finding]:
    """Each step on the way to it, up to the first that fails."""
    settings = patient.station.mqtt
    if settings is None:
        yield right(Message("the config names no broker, and nothing is published"))
        return
    if hidden := [it for it in _secrets(settings) if is_hidden(it)]:
        text = N_("{file} is not yours to read, so the broker can't be tried as the agent does")
        yield unknown(Message(text, file=hidden[0]), Message("ask as root: put sudo before it"))
        return
    reached = list(_reached(settings, patient.now))
    yield from reached
    if all(it.verdict != "wrong" for it in reached):
        yield from _said(patient, settings)


def _secrets(settings: Mqtt) -> Iterator[Path]:
    if settings.password_file is not None:
        yield settings.password_file
    if settings.tls is not None:
        yield from (file for _, file in settings.tls.files())


def _reached(settings: Mqtt, now: float) -> Iterator[Finding]:
    """TCP, and TLS with how long the broker's certificate is good for."""
    place = f"{settings.host}:{settings.tcp_port}"
    try:
        line = socket.create_connection((settings.host, settings.tcp_port), timeout=WITHIN_S)
    except OSError as error:
        text = N_("no broker answers at {place}: {why}")
        why = (error.strerror or str(error)).lower()
        yield wrong(Message(text, place=place, why=why), Message(LOOK))
        return
    with closing(line):
        yield right(Message("something listens at {place}", place=place))
        if settings.tls is not None:
            yield from _tls(settings.tls, settings.host, line, now)


def _tls(settings: BrokerTls, host: str, line: socket.socket, now: float) -> Iterator[Finding]:
    # What knows a broker's refusals of TLS is imported with the agent's own part for brokers.
    from agent.mqtt.tls import refusal, tls_to_broker

    try:
        context = tls_to_broker(settings)
        with context.wrap_socket(line, server_hostname=host) as secured:
            found = secured.getpeercert() or {}
            _hear_refusal(secured)
    except AgentError as error:
        yield wrong(str(error), Message("put it right in the config or at the file"))
        return
    except OSError as error:
        text = N_("the broker and the station do not believe each other: {why}")
        yield wrong(Message(text, why=refusal(str(error))), Message(ADMINISTRATOR))
        return
    until = ssl.cert_time_to_seconds(str(found["notAfter"]))
    yield lasts(Message("the broker's certificate"), until, now, Message(ADMINISTRATOR))


def _hear_refusal(secured: ssl.SSLSocket) -> None:
    """Wait a moment for a refusal. Raises OSError."""
    secured.settimeout(REFUSED_WITHIN_S)
    try:
        secured.recv(1)
    except TimeoutError:
        return  # it waits for us to speak: we are let in


def _said(patient: Patient, settings: Mqtt) -> Iterator[Finding]:
    match patient.runs:
        case True:
            health = patient.ask("about", write="true")["health"]
            yield _asked(str(health["broker"]))
            if written := health.get("written"):
                yield _written(written["topic"], written["denied"], settings)
        case False:
            yield from _tried(patient, settings)
        case None:
            text = N_("whether an agent runs is not known, so nobody logs in there in its place")
            yield unknown(Message(text), Message("ask as root: put sudo before it"))


def _asked(state: str) -> Finding:
    match state:
        case "connected":
            return right(Message("the agent is connected to it"))
        case "off":
            text = N_("the agent that runs knows of no broker")
            return wrong(Message(text), Message("restart the agent, so that it reads its config"))
    text = N_("the agent is not connected to it")
    return wrong(Message(text), Message("the agent's event mqtt.lost, under faults, says why"))


def _tried(patient: Patient, settings: Mqtt) -> Iterator[Finding]:
    """Log in and say nothing on a topic that nobody waits for: no agent is there to be thrown out."""
    # The MQTT library takes 0.1 s to import.
    from agent.mqtt.trial import trial

    found = trial(settings, patient.station.name)
    if found.turned_away:
        text = N_("the broker turned the station away: {why}")
        todo = N_("check mqtt.username and password_file; {more}")
        yield wrong(
            Message(text, why=found.turned_away), Message(todo, more=Message(ADMINISTRATOR))
        )
        return
    yield right(Message("the broker lets the station in"))
    yield _written(found.topic, found.denied, settings)


def _written(topic: str, denied: str | None, settings: Mqtt) -> Finding:
    """What the broker answered to the message of a trial, the agent's or our own."""
    if denied is None:
        text = N_("whether it takes what the station says was not told: MQTT {protocol}")
        return unknown(Message(text, protocol=settings.protocol))
    if denied:
        text = N_("the broker does not let the station write {topic}: {why}")
        return wrong(Message(text, topic=topic, why=denied), Message(ADMINISTRATOR))
    return right(Message("the broker lets the station write {topic}", topic=topic))
