"""What a config names and this machine does not have at present: a port, a library, a secret.

It is no mistake, since a cable may be out; and it is what a mistyped name looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from agent.languages.message import Message
from agent.settings.oidc import missing_of_oidc
from agent.settings.paths import is_there
from agent.settings.station import Station
from drivers import Address


def missing(station: Station, *, ports: bool = True) -> Iterator[str]:
    """Yield a sentence for each port, library or secret of an enabled device that is not there.

    So for the library that other forms of recorded readings need. Without `ports` those are left out.
    """
    if station.runs_formats and find_spec("pyarrow") is None:
        forms = ", ".join(station.runs_formats)
        yield Message(
            "{file}: runs_formats: {forms} need pyarrow: install labkeeper[data]",
            file=station.file,
            forms=forms,
        )
    yield from _missing_of_network(station)
    yield from _missing_of_broker(station)
    yield from missing_of_oidc(station)
    for device in station.devices.values():
        if not device.enabled:
            continue
        key = f"{device.place}: devices.{device.name}"
        if said := _missing_at(device.address, ports=ports):
            yield Message("{key}.address: {text}", key=key, text=said)
        for name in ("password_file", "key_file"):
            path = device.access and getattr(device.access, name)
            if path and not is_there(str(path)):
                yield Message(
                    "{key}.access.{name}: there is no file {path} here now: write the secret there",
                    key=key,
                    name=name,
                    path=path,
                )


def _missing_of_network(station: Station) -> Iterator[str]:
    network, metrics = station.api.network, station.metrics
    token = metrics and metrics.token_file
    if token and not is_there(str(token)):
        yield Message(
            "{place}: metrics.token_file: there is no file {path} here now",
            place=station.file,
            path=token,
        )
    if network is None:
        if token:
            yield Message(
                "{place}: metrics.token_file: without api.network it opens nothing",
                place=station.file,
            )
        return
    for name, file in (("certificate", network.certificate), ("key", network.key)):
        if not is_there(str(file)):
            yield Message(
                "{place}: api.network.{name}: there is no file {path} here now",
                place=station.file,
                name=name,
                path=file,
            )


def _missing_of_broker(station: Station) -> Iterator[str]:
    if station.mqtt is None or station.mqtt.tls is None:
        return
    for name, file in station.mqtt.tls.files():
        if not is_there(str(file)):
            yield Message(
                "{place}: mqtt.tls.{name}: there is no file {path} here now",
                place=station.file,
                name=name,
                path=file,
            )


def _missing_at(address: Address, *, ports: bool) -> str:
    library = address.options.get("library", "").partition("@")[0]
    if library and not is_there(library):
        return Message(
            "there is no VISA library {library} here: install it, or correct its name",
            library=library,
        )
    if ports and (port := address.serial_port) and not is_there(port):
        return Message(
            "there is no port {place} here now: plug it in, or look for its name in "
            "/dev/serial/by-id and /dev/serial/by-path",
            place=port,
        )
    return ""
