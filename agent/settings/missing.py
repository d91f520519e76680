"""What a config names and this machine does not have at present: a port, a library, a secret.

It is no mistake, since a cable may be out; and it is what a mistyped name looks like.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from agent.settings.station import Station
from drivers import Address


def missing(station: Station, *, ports: bool = True) -> Iterator[str]:
    """Yield a sentence for each port, library or secret of an enabled device that is not there.

    So for the library that other forms of recorded readings need. Without `ports` those are left out.
    """
    if station.runs_formats and find_spec("pyarrow") is None:
        forms = ", ".join(station.runs_formats)
        yield f"{station.file}: runs_formats: {forms} need pyarrow: install labkeeper[data]"
    yield from _missing_of_network(station)
    yield from _missing_of_broker(station)
    for device in station.devices.values():
        if not device.enabled:
            continue
        key = f"{device.place}: devices.{device.name}"
        if said := _missing_at(device.address, ports=ports):
            yield f"{key}.address: {said}"
        for name in ("password_file", "key_file"):
            path = device.access and getattr(device.access, name)
            if path and not _is_there(str(path)):
                yield f"{key}.access.{name}: there is no file {path} here now: write the secret there"


def _missing_of_network(station: Station) -> Iterator[str]:
    network, metrics = station.api.network, station.metrics
    token = metrics and metrics.token_file
    if token and not _is_there(str(token)):
        yield f"{station.file}: metrics.token_file: there is no file {token} here now"
    if network is None:
        if token:
            yield f"{station.file}: metrics.token_file: without api.network it opens nothing"
        return
    for name, file in (("certificate", network.certificate), ("key", network.key)):
        if not _is_there(str(file)):
            yield f"{station.file}: api.network.{name}: there is no file {file} here now"


def _missing_of_broker(station: Station) -> Iterator[str]:
    if station.mqtt is None or station.mqtt.tls is None:
        return
    for name, file in station.mqtt.tls.files():
        if not _is_there(str(file)):
            yield f"{station.file}: mqtt.tls.{name}: there is no file {file} here now"


def _missing_at(address: Address, *, ports: bool) -> str:
    library = address.options.get("library", "").partition("@")[0]
    if library and not _is_there(library):
        return f"there is no VISA library {library} here: install it, or correct its name"
    is_path = ports and address.scheme != "visa" and address.place.startswith("/")
    if is_path and not _is_there(address.place):
        return (
            f"there is no port {address.place} here now: plug it in, or look for its name in "
            "/dev/serial/by-id and /dev/serial/by-path"
        )
    return ""


def _is_there(path: str) -> bool:
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # such as a folder that only the agent may enter
        return True
    return True
