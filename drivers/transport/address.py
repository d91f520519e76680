"""Where a device is: `serial:///dev/serial/by-path/…?baudrate=115200`, `tcp://host:5025`, ….

    scheme              what follows                             options
    serial://           /dev/…, rfc2217://host:port, socket://…  baudrate bytesize parity stopbits rtscts xonxoff dtr
    tcp://              host:port
    visa://             a VISA resource, TCPIP0::host::INSTR      library; of ASRL… also baudrate bytesize parity stopbits
    modbus+tcp://       host[:502]                               unit
    modbus+rtu://       /dev/… as serial://                      unit gap echo uart, and those of serial://
    modbus+rtu+tcp://   host:port of a serial gateway            unit gap
    http:// https://    host[:port] of a printer or its host

Addresses come from config alone, never from a caller. pyserial's other URL handlers (`spy://`,
which writes files, `alt://`, `hwgrep://`, `loop://`) are refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from drivers.errors import BadAddress
from drivers.transport.link import Carried

DEFAULT_BAUDRATE: Final = "115200"
PARITIES: Final = ("N", "E", "O", "M", "S")
CHARACTER: Final = ("baudrate", "bytesize", "parity", "stopbits")
SERIAL: Final = (*CHARACTER, "rtscts", "xonxoff", "dtr")
OPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "serial": SERIAL,
    "tcp": (),
    "visa": ("library", *CHARACTER),
    "modbus+tcp": ("unit",),
    "modbus+rtu": ("unit", "gap", "echo", "uart", *SERIAL),
    "modbus+rtu+tcp": ("unit", "gap"),
    "http": (),
    "https": (),
}
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "bytesize": ("7", "8"),
    "parity": PARITIES,
    "stopbits": ("1", "1.5", "2"),
    "rtscts": ("on", "off"),
    "xonxoff": ("on", "off"),
    "dtr": ("on", "off", "leave"),
    "echo": ("on", "off"),
    "uart": ("on", "off"),
}
RTU_REFUSES: Final[Mapping[tuple[str, str], str]] = {
    ("bytesize", "7"): "Modbus RTU sends bytes of 8 bits",
    ("stopbits", "1.5"): "bytes of 8 bits have 1 or 2 stop bits",
    ("xonxoff", "on"): "the frames of Modbus RTU hold XON and XOFF as data",
}
"""What a serial port can do and Modbus RTU can't. Source: MODBUS over Serial Line V1.02, 2.5.1."""
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "baudrate": (50, 4_000_000),
    "unit": (0, 255),
    "gap": (0, 1000),
}
PORTS: Final[Mapping[str, int]] = {"modbus+tcp": 502, "http": 80, "https": 443}
"""The port that a scheme has where none is given."""
DEFAULT_UNIT: Final = "1"
SERIAL_UNITS: Final = (1, 247)
"""On a serial line 0 speaks to all, whom nobody answers, and the numbers above 247 are reserved."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address. `place` is a path, a URL for pyserial or a VISA resource; `port` 0 means none."""

    scheme: str
    place: str
    port: int = 0
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def carries(self) -> Carried:
        """What a link to this address carries."""
        if self.scheme in {"http", "https"}:
            return "requests"
        return "registers" if self.scheme.startswith("modbus+") else "bytes"

    @property
    def bus(self) -> str:
        """The same for every device behind one connection, whatever its unit."""
        line = {k: v for k, v in self.options.items() if k != "unit"}
        return f"{self.scheme}://{self.place}:{self.port}?{sorted(line.items())}"

    @property
    def bus_label(self) -> str:
        """What a bus is called outside: a place has one set of options, so that they need no mention."""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.place}{port}"

    @property
    def unit(self) -> str:
        """The number of a Modbus unit."""
        return self.options.get("unit", DEFAULT_UNIT)

    @property
    def wire_end(self) -> str:
        """The port or connection alone, to find two devices that claim it with other settings."""
        return f"{self.place}:{self.port}"

    @property
    def serial_port(self) -> str:
        """The path of the serial port of this machine that it is at; "" where there is none, or no path.

        VISA writes it `ASRL/dev/ttyUSB0::INSTR`; which port its numbers mean, the library alone knows.
        """
        path = self.place if self.scheme in {"serial", "modbus+rtu"} else ""
        if self.scheme == "visa" and self.place.upper().startswith("ASRL/"):
            path = self.place[len("ASRL") : self.place.rindex("::")]
        return path if path.startswith("/") else ""

    @property
    def baudrate(self) -> int:
        """Bits per second of the serial line; 0 where there is none, or a gateway keeps it."""
        if self.scheme not in {"serial", "modbus+rtu"}:
            return 0
        return int(self.options.get("baudrate", DEFAULT_BAUDRATE))

    @property
    def character(self) -> float:
        """Seconds that one byte takes on the serial line, start, parity and stop bits with it."""
        if not self.baudrate:
            return 0.0
        data, stop = (float(self.options.get(n, d)) for n, d in (("bytesize", 8), ("stopbits", 1)))
        return (1 + data + (self.options.get("parity", "N") != "N") + stop) / self.baudrate

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Take an address apart. Raises BadAddress, which says what is wrong and what is allowed."""
        scheme, separator, rest = text.partition("://")
        if not separator or scheme not in OPTIONS:
            raise BadAddress(
                f"{text!r} does not begin with one of {', '.join(f'{s}://' for s in OPTIONS)}"
            )
        place, _, query = rest.rpartition("?") if "?" in rest else (rest, "", "")
        options = _options(scheme, query)
        match scheme:
            case "visa":
                _check_visa(place, options)
                return cls(scheme, place, 0, options)
            case "serial" | "modbus+rtu":
                return cls(scheme, _serial_place(place), 0, options)
        return cls(scheme, *_host_port(text, place, PORTS.get(scheme, 0)), options)


def _options(scheme: str, query: str) -> dict[str, str]:
    allowed = OPTIONS[scheme]
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in allowed:
            raise BadAddress(
                f"{scheme}:// has no option {name!r}; options: {', '.join(allowed) or 'none'}"
            )
        if name in options:
            raise BadAddress(f"option {name!r} is given twice")
        _check_option(scheme, name, value)
        options[name] = value
    return options


def _check_option(scheme: str, name: str, value: str) -> None:
    if name in CHOICES and value not in CHOICES[name]:
        raise BadAddress(f"{name}={value} is not one of {', '.join(CHOICES[name])}")
    if scheme == "modbus+rtu" and (why := RTU_REFUSES.get((name, value))):
        raise BadAddress(f"{name}={value} can't be: {why}")
    if name in RANGES:
        low, high = SERIAL_UNITS if name == "unit" and "rtu" in scheme else RANGES[name]
        if not (value.isascii() and value.isdecimal() and low <= int(value) <= high):
            raise BadAddress(f"{name}={value} is not a whole number from {low:.0f} to {high:.0f}")


def _serial_place(place: str) -> str:
    inner, separator, _ = place.partition("://")
    if separator and inner not in {"rfc2217", "socket"}:
        raise BadAddress(f"{inner}:// can't be used here; allowed: /dev/…, rfc2217://, socket://")
    if not separator and not place.startswith("/"):
        raise BadAddress(f"{place!r} is not an absolute path such as /dev/serial/by-path/…")
    if separator and "@" in place:
        raise BadAddress(f"{inner}:// takes no user and no password: delete what is before the @")
    if not unquote(place).isprintable():
        raise BadAddress(f"{place!r} holds a control character: delete it")
    return unquote(place)


def _check_visa(resource: str, options: Mapping[str, str]) -> None:
    library = options.get("library", "@py")
    if library not in {"@py", "@ivi"} and not library.startswith("/"):
        raise BadAddress(
            f"library={library} is neither @py, @ivi nor the absolute path of a vendor's library, "
            "such as /usr/lib/x86_64-linux-gnu/libvisa.so"
        )
    of_lines = [name for name in CHARACTER if name in options]
    if visa_kind(resource) != "serial" and of_lines:
        raise BadAddress(
            f"{of_lines[0]} is an option of serial ports, ASRL…; {resource} is none: leave it out"
        )


def visa_kind(resource: str) -> Literal["message", "socket", "serial"]:
    """How a VISA resource carries what is said: in messages, or as a stream. Raises BadAddress."""
    name = resource.upper()
    if not name.endswith(("::INSTR", "::SOCKET")):
        raise BadAddress(
            f"{resource!r} ends neither in ::INSTR nor in ::SOCKET, as TCPIP0::192.0.2.7::INSTR does"
        )
    if name.startswith("ASRL"):
        return "serial"
    return "socket" if name.endswith("::SOCKET") else "message"


def _host_port(text: str, place: str, default: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port or default
    except ValueError:  # no number, one above 65535, or half an IPv6 address
        raise BadAddress(f"{text!r} needs a host, and a port from 1 to 65535") from None
    if not host or not port or parts.path or parts.fragment or parts.username:
        raise BadAddress(f"{text!r} needs a host and a port, such as tcp://192.0.2.7:5025")
    return host, port
