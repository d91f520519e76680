"""Names over the API: whatever a caller spells, nothing leads out of the store."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.store.files import FileStore
from tests.agent.files_bench import Examiner, left_in
from tests.agent.web_bench import Web, problem, said, served, upload_head

pytestmark = pytest.mark.lab

FILE = {"Content-Type": "application/octet-stream"}


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    (tmp_path / "secret.gcode").write_bytes(b"a secret")
    files = FileStore(tmp_path / "files", limit=10_000_000, examine=Examiner())
    await files.tidy()
    async with served(folder=tmp_path, files=files) as found:
        yield found


@pytest.fixture
def folder(web: Web) -> Path:
    return web.path.parent / "files"


OUT_OF_THE_STORE = [
    "..",
    "../secret.gcode",
    "%2e%2e",
    "%2e%2e/secret.gcode",
    "%2e%2e%2fsecret.gcode",
    "..%2fsecret.gcode",
    "..%5csecret.gcode",
    "%2e%2e%5csecret.gcode",
    "..%252fsecret.gcode",
    "%2fetc%2fpasswd.gcode",
    "%c0%ae%c0%ae%c0%afsecret.gcode",
    "%e0%80%ae%e0%80%ae%e0%80%afsecret.gcode",
    "secret.gcode%00.gcode",
    "%00",
    "a%0a.gcode",
    "a%0d%0aX-Evil:1.gcode",
    "%ff%fe.gcode",
    "%ed%a0%80.gcode",
    ".surveys",
    ".surveys%2fa.gcode.json",
    ".gcode",
    "%e2%80%ae.gcode",
    "x" * 300 + ".gcode",
    "%ea%b0%80" * 70 + ".gcode",
    "a.gcode%20",
    "a.exe",
    "%20",
]


@pytest.mark.parametrize("name", OUT_OF_THE_STORE)
async def test_no_name_leads_out_of_the_store(web: Web, folder: Path, name: str) -> None:
    before = left_in(web.path.parent / "files")
    for method, extra in (("PUT", "Content-Length: 4"), ("GET", "Accept: */*"), ("DELETE", "A: b")):
        answer = await said(
            web.port,
            upload_head(web, f"/api/v1/files/{name}", extra, method=method)
            + (b"evil" if method == "PUT" else b""),
        )
        status = int(answer.split()[1])
        assert 400 <= status < 500, answer
        assert b"a secret" not in answer
        assert b"X-Evil" not in answer.partition(b"\r\n\r\n")[0]
    assert left_in(folder) == before == {}
    assert (web.path.parent / "secret.gcode").read_bytes() == b"a secret"


async def test_what_looks_like_an_escape_and_is_a_plain_name_stays_in_the_store(
    web: Web, folder: Path
) -> None:
    plain = {
        "%252e%252e%252fx.gcode": "%2e%2e%2fx.gcode",
        "%uff0e%uff0e%u2215x.gcode": "%uff0e%uff0e%u2215x.gcode",
        "%ef%bc%8e%ef%bc%8e%e2%88%95x.gcode": "．．∕x.gcode",  # noqa: RUF001 - dots and a slash that are none
        "a%3f%23.gcode": "a?#.gcode",
        "a+b%20c.gcode": "a+b c.gcode",
    }
    for name in plain:
        head = upload_head(web, f"/api/v1/files/{name}", "Content-Length: 4")
        answer = await said(web.port, head + b"G28\n")
        assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert set(left_in(folder)) == set(plain.values())


async def test_a_link_in_the_store_is_no_file(web: Web, folder: Path) -> None:
    (folder / "link.gcode").symlink_to(web.path.parent / "secret.gcode")
    os.mkfifo(folder / "pipe.gcode")
    for name in ("link.gcode", "pipe.gcode"):
        problem(await web.token.get(f"/files/{name}"), 404, "no-such")
        problem(await web.token.get(f"/files/{name}/thumbnail"), 404, "no-such")
        problem(await web.unix.delete(f"/files/{name}"), 404, "no-such")
        for query in ({}, {"replace": "true"}):
            answer = await web.token.put(
                f"/files/{name}", content=b"G28\n", headers=FILE, params=query
            )
            problem(answer, 404, "no-such")
    assert (await web.token.get("/files")).json()["files"] == []
    assert (web.path.parent / "secret.gcode").read_bytes() == b"a secret"
