"""By which names the agent goes, and from which pages it may be asked: exact sets, no patterns."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

from agent.languages.message import Message
from agent.web.problems import Problem

ON_SOCKET: Final = frozenset({"localhost", "labkeeper"})
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
OWN_SITE: Final = frozenset({"same-origin", "none"})
SCHEMES: Final = ("http", "https")


def tcp_hosts(
    scope: Scope, more: tuple[str, ...] = (), own: tuple[str, ...] = LOOPBACK
) -> frozenset[str]:
    """What callers on this listener may call it: `own` with its port, and config's names.

    A name with a port is taken as it stands; one without also goes with the listener's port.
    """
    _, port = scope["server"]
    loopback = {f"{host}:{port}" for host in own}
    named = {name.lower() for name in more}
    return frozenset(loopback | named | {f"{name}:{port}" for name in named if ":" not in name})


def check_host(headers: Headers, hosts: frozenset[str], hint: str = "") -> None:
    """Refuse a request that was meant for somebody else, such as one after DNS rebinding."""
    given = headers.getlist("host")
    if len(given) != 1 or given[0].lower() not in hosts:
        raise Problem(
            "wrong-host",
            Message(
                "the Host {given} is not one of {hosts}{hint}",
                given=ascii(",".join(given))[:100],
                hosts=", ".join(sorted(hosts)),
                hint=hint,
            ),
        )


def check_origin(
    headers: Headers,
    hosts: frozenset[str],
    schemes: tuple[str, ...] = SCHEMES,
    *,
    from_elsewhere: bool = False,
) -> None:
    """Refuse what the page of somebody else asks. A program that is no browser says nothing here.

    `from_elsewhere` is a page that another site may send a browser to.
    """
    origins = {f"{scheme}://{host}" for host in hosts for scheme in schemes}
    if any(origin.lower() not in origins for origin in headers.getlist("origin")):
        raise Problem(
            "wrong-origin", Message("the Origin of the page that asks is not one of the agent's")
        )
    if not from_elsewhere and any(
        site not in OWN_SITE for site in headers.getlist("sec-fetch-site")
    ):
        raise Problem(
            "wrong-origin", Message("a page of another site asks; open the address itself")
        )
