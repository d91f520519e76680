"""Addresses: everything legal is understood, everything else refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadAddress
from drivers.transport.address import Address
from drivers.transport.lines import Lines


@pytest.mark.parametrize(
    ("text", "place", "port"),
    [
        ("tcp://psu1.lab:5025", "psu1.lab", 5025),
        ("tcp://[fe80::1%eth0]:5025", "fe80::1%eth0", 5025),
        ("modbus+tcp://[2001:db8::7]?unit=3", "2001:db8::7", 502),
        ("modbus+rtu+tcp://192.0.2.9:4001?unit=247", "192.0.2.9", 4001),
        ("serial:///dev/serial/by-path/pci-0000:00-usb-0:1:1.0?baudrate=9600",
         "/dev/serial/by-path/pci-0000:00-usb-0:1:1.0", 0),
        ("serial://rfc2217://192.0.2.9:7000", "rfc2217://192.0.2.9:7000", 0),
        ("visa://USB0::0x2A8D::0x1301::MY59001234::INSTR",
         "USB0::0x2A8D::0x1301::MY59001234::INSTR", 0),
        ("visa://USB0::0x2A8D::0x1301::MY59001234::0::INSTR",
         "USB0::0x2A8D::0x1301::MY59001234::0::INSTR", 0),
        ("visa://GPIB0::12::INSTR", "GPIB0::12::INSTR", 0),
        ("visa://TCPIP0::dmm.lab::hislip0::INSTR", "TCPIP0::dmm.lab::hislip0::INSTR", 0),
        ("visa://TCPIP0::192.0.2.12::inst0::INSTR", "TCPIP0::192.0.2.12::inst0::INSTR", 0),
        ("visa://TCPIP0::192.0.2.12::5025::SOCKET", "TCPIP0::192.0.2.12::5025::SOCKET", 0),
        ("visa://ASRL/dev/ttyUSB0::INSTR", "ASRL/dev/ttyUSB0::INSTR", 0),
    ],
)  # fmt: skip
def test_a_legal_address_is_understood_and_makes_a_link(text: str, place: str, port: int) -> None:
    address = Address.parse(text)
    assert (address.place, address.port) == (place, port)
    Lines().link(address)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("visa://TCPIP0::192.0.2.12", "ends neither in ::INSTR nor in ::SOCKET"),
        ("visa://USB0::0x2A8D::0x1301::MY1::RAW", "ends neither in ::INSTR nor in ::SOCKET"),
        ("modbus+rtu:///dev/ttyUSB0?unit=0", "unit=0 is not a whole number from 1 to 247"),
        ("modbus+rtu+tcp://192.0.2.9:4001?unit=255", "from 1 to 247"),
        ("modbus+tcp://192.0.2.9?unit=256", "from 0 to 255"),
        ("visa://GPIB0::7::INSTR?baudrate=9600", "baudrate is an option of serial ports, ASRL"),
        ("visa://ASRL1::INSTR?rtscts=on", "has no option 'rtscts'"),
        ("tcp://psu1.lab", "needs a host and a port"),
        ("tcp://psu1.lab:5025#1", "needs a host and a port"),
        ("tcp://fe80::1:5025", "needs a host and a port|tcp://fe80::1:5025"),
        ("serial://ttyUSB0", "is not an absolute path"),
        ("serial://spy:///dev/ttyUSB0", "can't be used here"),
        ("serial:///dev/ttyUSB0?baud=9600", "has no option 'baud'"),
        ("serial:///dev/tty%00USB0", "holds a control character: delete it"),
        ("modbus+rtu:///dev/tty%0aUSB0", "holds a control character: delete it"),
        ("serial://rfc2217://me:secret@192.0.2.9:7000", "takes no user and no password"),
        ("serial:///dev/ttyUSB0?baudrate=0", "from 50 to 4000000"),
        ("tcp://psu1.lab:99999", "a port from 1 to 65535"),
        ("tcp://psu1.lab:x", "a port from 1 to 65535"),
        ("visa://GPIB0::7::INSTR?library=", "neither @py, @ivi nor the absolute path"),
        ("visa://GPIB0::7::INSTR?library=@pyx", "neither @py, @ivi nor the absolute path"),
        ("visa://GPIB0::7::INSTR?library=libvisa.so", "such as /usr/lib/x86_64-linux-gnu/libvisa"),
        ("usb://1", "does not begin with one of"),
    ],
)
def test_what_can_make_no_link_is_refused_when_it_is_read(text: str, sentence: str) -> None:
    with pytest.raises(BadAddress, match=sentence):
        Address.parse(text)


@given(
    st.sampled_from(["serial:///", "tcp://", "visa://", "modbus+tcp://", "modbus+rtu+tcp://", ""]),
    st.text("aZ0:/?#@[]%=&.-_ ~\x00é", max_size=30),
)
def test_no_text_is_understood_that_makes_no_link(scheme: str, rest: str) -> None:
    try:
        address = Address.parse(scheme + rest)
    except BadAddress:
        return
    Lines().link(address)


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("serial:///dev/ttyUSB0?baudrate=9600", "/dev/ttyUSB0"),
        ("modbus+rtu:///dev/ttyS1?unit=3", "/dev/ttyS1"),
        ("visa://ASRL/dev/serial/by-id/usb-X::INSTR", "/dev/serial/by-id/usb-X"),
        ("visa://asrl/dev/ttyUSB0::INSTR", "/dev/ttyUSB0"),
        ("visa://ASRL1::INSTR", ""),
        ("visa://TCPIP0::192.0.2.7::INSTR", ""),
        ("serial://socket://192.0.2.7:4000", ""),
        ("tcp://192.0.2.7:5025", ""),
    ],
)
def test_the_serial_port_of_an_address_is_its_path_where_it_has_one(text: str, port: str) -> None:
    assert Address.parse(text).serial_port == port
