"""A real agent whose certificate is renewed while it runs: SIGHUP, and a client that trusts one authority."""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path

import httpx
import pytest
import trustme

from tests.agent.web.test_web_network import NAME, files_in
from tests.lab.processes import agent, free_port, station

pytestmark = [pytest.mark.lab, pytest.mark.timeout(90)]


async def heard(port: int, authority: trustme.CA) -> str:
    """What becomes of a client that believes this authority alone: a status, or what it says."""
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    address = f"https://127.0.0.1:{port}/api/v1/session"
    async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
        try:
            answer = await client.get(
                address,
                headers={"Host": f"{NAME}:{port}"},
                extensions={"sni_hostname": NAME},
            )
        except httpx.ConnectError as error:
            return "not believed" if "certificate verify failed" in str(error) else str(error)
    return str(answer.status_code)


async def test_a_certificate_is_renewed_by_sighup_without_a_new_start(folder: Path) -> None:
    old, new, port = trustme.CA(), trustme.CA(), free_port()
    await asyncio.to_thread(files_in, folder, old)
    network = (
        f"{{listen: '127.0.0.1:{port}', certificate: bench.crt, key: bench.key, hosts: [{NAME}]}}"
    )
    config = station(folder, "devices: {}\n").replace("api: {", f"api: {{network: {network}, ")
    assert NAME in config
    async with agent(folder, config) as running:
        await running.until_said("agent.started")
        assert await heard(port, old) == "200"
        assert await heard(port, new) == "not believed"
        await asyncio.to_thread(files_in, folder, new)
        running.signal(signal.SIGHUP)
        await running.until_said("certificate.renewed")
        assert await heard(port, new) == "200"
        assert await heard(port, old) == "not believed"
        assert len(running.events("agent.started")) == 1
