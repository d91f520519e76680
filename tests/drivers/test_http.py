"""Requests over HTTP where the host is not one that can be believed."""

from __future__ import annotations

import asyncio
import ssl

import pytest
import trustme

from drivers.errors import ConnectFailed
from drivers.transport.http import HttpLink, _trust

pytestmark = pytest.mark.lab


async def test_a_certificate_that_nobody_vouches_for_is_named_and_no_request_is_sent() -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.start_server(listen, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with server, HttpLink(f"https://127.0.0.1:{port}") as link:
        with pytest.raises(ConnectFailed, match=r"certificate is not trusted \(.*issuer") as caught:
            await link.ask("GET", "/api/version", within=2.0)
    assert not caught.value.sent
    assert b"".join(heard) == b""


def test_a_host_on_https_is_believed_by_the_authorities_and_http_asks_none() -> None:
    authorities = _trust("https://192.0.2.30")
    assert authorities.get_ca_certs()
    assert authorities.check_hostname
    assert not _trust("http://192.0.2.30:7125").get_ca_certs()
    assert _trust("http://192.0.2.30:7125").verify_mode is ssl.CERT_REQUIRED
