"""The simulated slave against a framer that others wrote."""

from __future__ import annotations

import pytest
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from simulators.modbus import RtuBus
from simulators.modbus_block import BlockDevice

MASKED = MaskWriteRegisterRequest(address=4, and_mask=0xF2, or_mask=0x25)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (ReadCoilsRequest(address=0, count=3), [False, True, False]),
        (ReadDiscreteInputsRequest(address=1, count=2), [True, False]),
        (ReadHoldingRegistersRequest(address=10, count=3), [10, 11, 12]),
        (ReadInputRegistersRequest(address=20, count=2), [20, 21]),
        (WriteSingleCoilRequest(address=2, bits=[True]), [True]),
        (WriteSingleRegisterRequest(address=2, registers=[5]), [5]),
        (WriteMultipleCoilsRequest(address=2, bits=[True] * 9), None),
        (WriteMultipleRegistersRequest(address=2, registers=[5, 6]), None),
        (MASKED, None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_framer_that_others_wrote_understands_the_answers(
    asked: ModbusPDU, expected: list[int] | None
) -> None:
    asked.dev_id = 1
    bus = RtuBus([BlockDevice(1, 64)])
    answer = bus.handle(FramerRTU(DecodePDU(is_server=True)).buildFrame(asked))
    used, pdu = FramerRTU(DecodePDU(is_server=False)).handleFrame(answer, 1, 0)
    assert used == len(answer)
    assert pdu is not None
    assert not pdu.isError()
    if expected is not None:
        assert (pdu.registers or pdu.bits)[: len(expected)] == expected
