from __future__ import annotations

import pytest

from simulators.form_data import parse_form


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('form-data; name="file"; filename="a b.gcode"', "a b.gcode"),
        ("form-data; name=\"file\"; filename*=utf-8''%ED%95%9C.gcode", "한.gcode"),
        ('form-data; name="file"; filename="a%22b.gcode"', 'a"b.gcode'),
        ('form-data; name="file"; filename="한글.gcode"', "한글.gcode"),
        ('form-data; name="file"', None),
    ],
)
def test_a_form_tells_the_name_of_its_file(disposition: str, filename: str | None) -> None:
    body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\nG28\r\n--y\r\n--x--\r\n".encode()
    parts = parse_form("multipart/form-data; boundary=x", body)
    assert (parts["file"].filename, parts["file"].content) == (filename, b"G28\r\n--y")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", b"x"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=x", b"nothing"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nG28"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--\r\n"),
    ],
)
def test_a_body_that_is_no_form_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(ValueError, match="body"):
        parse_form(kind, body)
