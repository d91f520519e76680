"""Models of how the station speaks to the outside: broker, metrics, API, log, and how it reconnects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, model_validator

from agent.languages.message import N_, Message
from agent.settings.oidc_models import OIDC, Oidc
from agent.settings.secret_files import secret_file
from agent.settings.section import Section
from agent.settings.section import doc as _doc
from agent.settings.timetable import zone_of
from agent.settings.values import (
    File,
    Host,
    Label,
    Listen,
    Listener,
    NetworkListen,
    Protocol,
    RoleName,
    Seconds,
    Text,
)
from drivers import Role


def _zone(name: str) -> str:
    """The name of a time zone as it is. Raises ValueError."""
    zone_of(name)
    return name


class BrokerTls(Section):
    """How the agent and the broker prove to each other who they are."""

    authority: Annotated[
        File | None,
        _doc("PEM file of who signed the broker's certificate; this machine's own if not given."),
    ] = None
    certificate: Annotated[
        File | None, _doc("PEM file with the station's certificate; goes with key.")
    ] = None
    key: Annotated[
        File | None, _doc("PEM file with its key, which others can't read; goes with certificate.")
    ] = None

    @model_validator(mode="after")
    def _are_a_pair(self) -> "BrokerTls":
        for one, other in (("certificate", "key"), ("key", "certificate")):
            if getattr(self, one) is not None and getattr(self, other) is None:
                raise ValueError(
                    Message(
                        "{one} is given without {other}: give both, or neither",
                        one=one,
                        other=other,
                    )
                )
        return self

    def beside(self, folder: Path) -> "BrokerTls":
        """The same with files whose relative names begin at this folder."""
        files = {name: secret_file(folder, file) for name, file in self.files()}
        return self.model_copy(update=files)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Each file that is given, and the key that names it."""
        for name in ("authority", "certificate", "key"):
            if file := getattr(self, name):
                yield name, file


class Mqtt(Section):
    """The broker that hears of everything and may ask for something."""

    host: Annotated[Host, _doc(N_("Name or IP address of the broker."))]
    port: Annotated[
        int | None,
        _doc("TCP port of the broker; 1883 if not given, and 8883 with tls.", ge=1, le=65535),
    ] = None
    tls: Annotated[
        BrokerTls | None, _doc("Speak TLS, as `tls: {}` or with files of one's own.")
    ] = None
    protocol: Annotated[Protocol, _doc("Version of MQTT: 5 or 3.1.1.")] = "5"
    username: Annotated[Text | None, _doc("Name at the broker; none if not given.")] = None
    password_file: Annotated[File | None, _doc("File whose first line is the password.")] = None
    client_id: Annotated[
        Label | None, _doc("Who the agent is at the broker; the station's name if not given.")
    ] = None
    keepalive: Annotated[
        int,
        _doc(
            "Seconds of silence after which the broker takes the agent for dead × 1.5.",
            ge=5,
            le=600,
        ),
    ] = 15
    commands: Annotated[bool, _doc("Whether requests over MQTT are answered at all.")] = True
    role: Annotated[RoleName, _doc("What requests over MQTT may do.")] = Role.TECHNICIAN
    min_interval: Annotated[
        float, _doc("Seconds between two state messages of a device.", ge=0, le=60)
    ] = 0.1

    @property
    def tcp_port(self) -> int:
        """Where the broker listens: as given, or as IANA registered it for MQTT, plain or over TLS."""
        return self.port or (8883 if self.tls else 1883)


class Metrics(Section):
    """The page that Prometheus reads."""

    listen: Annotated[Listen, _doc("Loopback host and port; port 0 takes a free one.")] = Listener(
        "127.0.0.1", 9464
    )
    token_file: Annotated[
        File | None,
        _doc(
            "File whose first line opens the page to a scraper at api.network; none if not given."
        ),
    ] = None


class Sessions(Section):
    """How long people who have signed in may go without saying again who they are."""

    lock_after: Annotated[
        Seconds, _doc("Without an action; then acting takes the password again. Seconds.")
    ] = 900.0
    idle: Annotated[Seconds, _doc("Without an action; then it is over. Seconds.")] = 14_400.0
    longest: Annotated[Seconds, _doc("From sign-in; then it is over. Seconds.")] = 43_200.0


class Network(Section):
    """The door to other machines: over TLS, and for those alone who say who they are."""

    listen: Annotated[NetworkListen, _doc(N_("Host and port, such as 0.0.0.0:8443."))]
    certificate: Annotated[File, _doc(N_("PEM file with the certificate and those between."))]
    key: Annotated[File, _doc(N_("PEM file with its key, which others can't read."))]
    hosts: Annotated[
        tuple[Label, ...],
        _doc(
            N_("Names by which other machines call this one, exactly."), strict=False, min_length=1
        ),
    ]


class Api(Section):
    """REST for programs on this machine, and the socket of the command line."""

    listen: Annotated[Listen, _doc("Loopback host and port; port 0 takes a free one.")] = Listener(
        "127.0.0.1", 8080
    )
    socket: Annotated[File, _doc("Unix socket of the command line.")] = Path("agent.sock")
    socket_role: Annotated[RoleName, _doc("What callers on the socket may do.")] = Role.ENGINEER
    token_file: Annotated[File, _doc("File with the token that changes over TCP need.")] = Path(
        "api-token"
    )
    role: Annotated[RoleName, _doc("What callers with the token may do.")] = Role.ENGINEER
    hosts: Annotated[
        tuple[Label, ...],
        _doc("Host names, beside the loopback ones, that callers may use.", strict=False),
    ] = ()
    network: Annotated[
        Network | None, _doc("The door to other machines; only this one if not given.")
    ] = None
    administrators: Annotated[
        Label | None,
        _doc("Group of this machine whose members manage people over the socket, as root does."),
    ] = None
    sessions: Annotated[Sessions, _doc("People who have signed in.")] = Sessions()
    oidc: Annotated[Oidc | None, OIDC] = None


class Console(Section):
    """The technicians' pages: what they say to a browser that asks for nothing else."""

    language: Annotated[
        Literal["ko", "en"],
        _doc("Language where neither the person nor the browser has chosen one."),
    ] = "ko"
    zone: Annotated[
        Text,
        _doc("Time zone of the times on the pages, by its IANA name.", validate_default=True),
        AfterValidator(_zone),
    ] = "Asia/Seoul"


class Reconnect(Section):
    """The waits between two attempts to reach a device; they double, with jitter."""

    first: Annotated[Seconds, _doc("Longest wait after the first failure, seconds.")] = 0.25
    most: Annotated[Seconds, _doc("Longest wait of all, seconds.")] = 4.0


class Log(Section):
    """What the agent writes about itself."""

    format: Annotated[
        Literal["auto", "json", "console"], _doc("auto: console on a terminal, else json.")
    ] = "auto"
    level: Annotated[
        Literal["debug", "info", "warning", "error"], _doc("The least that is written.")
    ] = "info"
