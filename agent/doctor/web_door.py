"""The doors of the console: whether somebody answers there."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from agent.doctor.finding import Finding, right, unknown, wrong
from agent.doctor.patient import Patient, no_agent
from agent.languages.message import N_, Message

if TYPE_CHECKING:
    from agent.settings import Listener

WITHIN_S: Final = 3.0
ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here
LOOK: Final = N_("`labkeeper events` and the log say why it does not listen there")


def web_door(patient: Patient) -> Iterator[Finding]:
    """The door on this machine, and that to others. Raises NotExamined where no agent runs."""
    api = patient.station.api
    if not patient.runs:
        raise no_agent()
    if api.listen.port == 0:
        yield unknown(Message("api.listen has port 0, a free one that only the agent knows"))
    else:
        yield _here(api.listen)
    if api.network is not None and api.network.listen.port:
        yield _to_others(api.network.listen)


def _here(listen: Listener) -> Finding:
    where = Message("http://{listen}", listen=listen)
    try:
        line = http.client.HTTPConnection(listen.host, listen.port, timeout=WITHIN_S)
        try:
            line.request("GET", "/api/v1/station", headers={"Accept": "application/json"})
            status = line.getresponse().status
        finally:
            line.close()
    except (OSError, http.client.HTTPException) as error:
        return _silent(where, error)
    if status != http.client.OK:
        text = N_("{where} answers with status {status}")
        todo = N_("see whether another program listens there: `ss -ltnp`")
        return wrong(Message(text, where=where, status=status), Message(todo))
    return right(Message("the console answers at {where}", where=where))


def _to_others(listen: Listener) -> Finding:
    where = Message("https://{listen}", listen=listen)
    # Whether the door is open is asked here; how long its certificate is good for, elsewhere.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    place = (ANY.get(listen.host, listen.host), listen.port)
    try:
        with (
            socket.create_connection(place, timeout=WITHIN_S) as line,
            context.wrap_socket(line),
        ):
            return right(Message("the door to other machines is open at {where}", where=where))
    except OSError as error:
        return _silent(where, error)


def _silent(where: str, error: Exception) -> Finding:
    text = N_("nobody answers at {where}: {why}")
    why = (getattr(error, "strerror", None) or str(error)).lower()
    return wrong(Message(text, where=where, why=why), Message(LOOK))
