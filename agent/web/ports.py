"""The doors of the agent, bound before anything else starts: a port in use is said at once."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from agent.settings import Station as Settings
from agent.web.listeners import bind_tcp, bind_unix
from agent.web.renewed_tls import RenewedTls


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Listening sockets: the command line's, the API's, and the metrics page's where there is one."""

    command_line: socket.socket
    api: socket.socket
    metrics: socket.socket | None
    network: socket.socket | None = None
    """The door to other machines, where there is one, and what it speaks."""
    tls: RenewedTls | None = None

    def look_at_certificates(self) -> None:
        """Read the certificate of the door to other machines again, where there is one."""
        if self.tls is not None:
            self.tls.look_now()

    def in_words(self) -> str:
        """Where each of them is, for the log."""
        places = [f"socket {self.command_line.getsockname()}", f"API http://{_place(self.api)}"]
        if self.metrics is not None:
            places.append(f"metrics http://{_place(self.metrics)}/metrics")
        if self.network is not None:
            places.append(f"network https://{_place(self.network)}")
        return ", ".join(places)


def _place(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def bound(settings: Settings) -> Iterator[Ports]:
    """Hold the sockets that the config asks for. Raises PortInUse, AlreadyRunning or NoPermission."""
    with ExitStack() as stack:
        command_line = stack.enter_context(bind_unix(settings.api.socket))
        stack.callback(settings.api.socket.unlink, missing_ok=True)
        api = stack.enter_context(bind_tcp(settings.api.listen, "api.listen"))
        metrics = None
        if settings.metrics is not None:
            metrics = stack.enter_context(bind_tcp(settings.metrics.listen, "metrics.listen"))
        network, tls = settings.api.network, None
        outside = None
        if network is not None:
            tls = RenewedTls(network.certificate, network.key)
            outside = stack.enter_context(bind_tcp(network.listen, "api.network.listen"))
        yield Ports(command_line=command_line, api=api, metrics=metrics, network=outside, tls=tls)
