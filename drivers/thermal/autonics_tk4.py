"""Autonics TK4 series (TK4S, TK4M, TK4W, TK4H, TK4L, TK4N) with RS485 communication.

Source: Autonics, TK Series user manual for communication, 2 "Modbus Mapping Table": p. 17 coils
and lamps, p. 18 identification (0x0064), p. 19 monitoring (0x03E8). It has functions 1 to 6 and
16, no diagnostics and no broadcast. SV at holding register 0x0000 is from the manual of the
sister series KPN (p. 20); the three sensor faults are those that MCT-TKC1-V2.1 is quoted with.
Neither has been checked on hardware yet, nor has the widest range of its sensors, to 2300 °C.
"""

from typing import ClassVar

from drivers.driver import Driver, Identity
from drivers.errors import DeviceError
from drivers.protocol import modbus
from drivers.protocol.modbus import Modbus
from drivers.protocol.registers import ACTIVE_LOW, I16, U16, U32, text
from drivers.transport.link import Timeouts

MONITOR = 0x03E8  # PV, decimal point, display unit, SV: read together, so that they belong together
SV = 0x0000
LAMPS = 0x03EE
RUN_STOP = 0x0000  # coil; 0 is RUN

SENSOR = {
    31000: "sensor open: is it connected?",
    30000: "the temperature is above the range of the sensor (HHHH)",
    -30000: "the temperature is below the range of the sensor (LLLL)",
}
NOT_CELSIUS = {
    1: "the controller is set to °F; set its unit to °C",
    2: "the controller shows %, not °C: it has no temperature sensor configured",
    3: "the controller shows no unit: it has no temperature sensor configured",
}

SERIAL_NUMBER = modbus.ref(0x0064, U32)
HARDWARE = modbus.ref(0x0066, U16)
SOFTWARE = modbus.ref(0x0067, U16)
MODEL = modbus.ref(0x0068, text(10))


class Tk4(Driver[Modbus]):
    """Autonics TK4 temperature controller.

    Temperatures have as many decimals as the controller itself shows, read with each value.
    """

    identity = r"TK4.*"
    traits: ClassVar = {
        "timeouts": Timeouts(first_byte=0.5, next_byte=0.1, whole=1.5),  # it waits 5 to 99 ms
        "gap": 1,  # 0x03ED, cooling MV, lies between and may be read along
    }
    hazards: ClassVar = {"running": frozenset({False})}

    temperature = modbus.reading(
        MONITOR,
        I16.sentinels(SENSOR).pointed(value=0, point=1, size=3).refusing(2, NOT_CELSIUS),
        unit="Cel",
        every=0.5,
        doc="Temperature at the sensor (PV).",
    )
    setpoint = modbus.setting(
        SV,
        I16.pointed(value=3, point=1, size=4).refusing(2, NOT_CELSIUS),
        read_at=MONITOR,
        unit="Cel",
        low=-200.0,
        high=2300.0,
        doc="Temperature to hold (SV); beyond its own L-SV and H-SV the controller refuses.",
    )
    heating_output = modbus.reading(
        0x03EC, U16.times(0.1), unit="%", doc="Share of the heating output (H-MV)."
    )
    running = modbus.switch(
        RUN_STOP,
        ACTIVE_LOW,
        anytime=True,
        doc="Whether it controls; stopped, the output is what StMV says, from factory 0 %.",
    )
    auto_tuning = modbus.reading(LAMPS, U16.bit(5), doc="Whether auto-tuning runs.")
    alarm_1 = modbus.reading(LAMPS, U16.bit(9), doc="Whether alarm output 1 is on.")
    alarm_2 = modbus.reading(LAMPS, U16.bit(10), doc="Whether alarm output 2 is on.")
    manual_control = modbus.reading(LAMPS, U16.bit(11), doc="Whether it is in manual control.")

    async def identify(self) -> Identity:
        """Read model, serial number and versions, all in one request."""
        found = await self.wire.read([MODEL, SERIAL_NUMBER, HARDWARE, SOFTWARE])
        for part in found:
            if isinstance(part, Exception):
                raise part
        model, serial_number, hardware, software = found
        name = model.replace(" ", "")
        return Identity(name, name, str(serial_number), f"hardware {hardware}, software {software}")

    async def make_safe(self) -> None:
        """Stop controlling, and read back that it has stopped."""
        await self.running.write(False)
        if await self.running.read():
            raise DeviceError("the controller still runs after it was told to stop")
