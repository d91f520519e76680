"""A certificate that is renewed while the door stands open, as a real client sees it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from agent.clock import SystemClock
from agent.fleet.events import EventLog
from agent.web.listeners import bind_tcp
from agent.web.renewed_tls import RenewedTls
from tests.agent.web.test_web_network import NAME, files_in
from tests.agent.web_bench import serving, until

pytestmark = pytest.mark.lab


@dataclass
class Door:
    """A door on a port, with its files."""

    port: int
    tls: RenewedTls
    events: EventLog
    folder: Path

    def renew(self, authority: trustme.CA) -> None:
        """Put another certificate and its key in the place of those that are there."""
        files_in(self.folder, authority)

    async def shows(self, name: str | None = NAME) -> bytes:
        """The certificate that whoever comes now is shown; without a name in the handshake for None."""
        _, writer = await self.connected(name)
        found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return found

    async def connected(
        self, name: str | None = NAME
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of a client that looks at the certificate by itself."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=context, server_hostname=name or ""
        )

    def told(self) -> list[str]:
        """What was said of certificates so far."""
        return [it.kind for it in self.events.kept if it.kind.startswith("certificate.")]


async def _hello(scope: object, receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"hello"})  # type: ignore[operator]


@asynccontextmanager
async def door(folder: Path, *, every: float) -> AsyncIterator[Door]:
    """Serve something behind a certificate that is followed."""
    files = await asyncio.to_thread(files_in, folder, trustme.CA())
    async with AsyncExitStack() as stack:
        tls = await asyncio.to_thread(RenewedTls, *files)
        events = EventLog(SystemClock())
        sock = bind_tcp("127.0.0.1:0", "api.network.listen")
        served = await stack.enter_async_context(serving(_hello, sock, tls.context))
        assert not served.done()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(tls.run(events, every=every), name="certificate")
            yield Door(sock.getsockname()[1], tls, events, folder)
            task.cancel()


@pytest.mark.parametrize("name", [NAME, None])
async def test_whoever_comes_after_a_renewal_is_shown_the_new_certificate(
    tmp_path: Path, name: str | None
) -> None:
    async with door(tmp_path, every=0.05) as opened:
        old = await opened.shows(name)
        assert await opened.shows(name) == old
        await asyncio.to_thread(opened.renew, trustme.CA())
        await until(lambda: opened.told() == ["certificate.renewed"])
        assert await opened.shows(name) != old


async def test_a_connection_that_is_there_goes_on_with_the_old_one(tmp_path: Path) -> None:
    async with door(tmp_path, every=0.05) as opened:
        reader, writer = await opened.connected()
        await asyncio.to_thread(opened.renew, trustme.CA())
        await until(lambda: opened.told() == ["certificate.renewed"])
        writer.write(f"GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(5.0):
            assert b"hello" in await reader.read()
        writer.close()


async def test_files_that_do_not_belong_together_are_told_once_and_the_old_ones_stay(
    tmp_path: Path,
) -> None:
    async with door(tmp_path, every=0.05) as opened:
        old = await opened.shows()
        key = tmp_path / "bench.key"
        other = trustme.CA().issue_cert(NAME).private_key_pem.bytes()
        await asyncio.to_thread(key.write_bytes, other)
        await until(lambda: opened.told() == ["certificate.refused"])
        [said] = [it.text for it in opened.events.kept if it.kind == "certificate.refused"]
        assert "key values mismatch" in said
        assert await opened.shows() == old
        await asyncio.to_thread(opened.renew, trustme.CA())
        await until(lambda: opened.told() == ["certificate.refused", "certificate.renewed"])
        assert await opened.shows() != old


async def test_a_key_that_comes_a_moment_after_its_certificate_is_waited_for(
    tmp_path: Path,
) -> None:
    aside = tmp_path / "aside"
    await asyncio.to_thread(aside.mkdir)
    await asyncio.to_thread(files_in, aside, trustme.CA())
    async with door(tmp_path, every=1.0) as opened:
        await asyncio.to_thread((aside / "bench.crt").rename, tmp_path / "bench.crt")
        await until(lambda: opened.tls._seen != opened.tls._served)
        await asyncio.to_thread((aside / "bench.key").rename, tmp_path / "bench.key")
        await until(lambda: bool(opened.told()), 10.0)
        assert opened.told() == ["certificate.renewed"]


async def test_whoever_asks_for_it_has_the_files_read_at_once(tmp_path: Path) -> None:
    async with door(tmp_path, every=3600.0) as opened:
        old = await opened.shows()
        await asyncio.to_thread(opened.renew, trustme.CA())
        opened.tls.look_now()
        await until(lambda: opened.told() == ["certificate.renewed"])
        assert await opened.shows() != old
