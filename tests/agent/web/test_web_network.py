"""The door to other machines: TLS, exact names, and nothing for those who don't say who they are."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import trustme

from agent.errors import CannotStart
from agent.web.api import api_of, doors_of
from agent.web.listeners import bind_tcp
from agent.web.tls import tls_of
from tests.agent.people_bench import PASSWORD, House, house
from tests.agent.web_bench import SETTINGS, TOKEN, problem, serving, sse, until

pytestmark = pytest.mark.lab

NAME = "bench-1.lab.example"
SET = "/devices/psu1/settings/voltage"
KIM = {"name": "kim", "password": PASSWORD}


def files_in(folder: Path, authority: trustme.CA) -> tuple[Path, Path]:
    """A certificate for NAME and its key, as files."""
    made = authority.issue_cert(NAME)
    certificate, key = folder / "bench.crt", folder / "bench.key"
    certificate.write_bytes(b"".join(it.bytes() for it in made.cert_chain_pems))
    key.write_bytes(made.private_key_pem.bytes())
    key.chmod(0o600)
    return certificate, key


@dataclass
class Outside:
    """A house with a door to other machines."""

    lab: House
    port: int
    trust: ssl.SSLContext
    stack: AsyncExitStack

    async def client(self) -> httpx.AsyncClient:
        """A browser on another machine, which trusts the house's authority."""
        client = httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}/api/v1",
            headers={"Host": f"{NAME}:{self.port}"},
            verify=self.trust,
        )
        client.event_hooks["request"] = [_named]
        return await self.stack.enter_async_context(client)


async def _named(request: httpx.Request) -> None:
    request.extensions["sni_hostname"] = NAME


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[Outside]:
    authority, trust = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trust)
    files = await asyncio.to_thread(files_in, tmp_path, authority)
    async with AsyncExitStack() as stack:
        lab = await stack.enter_async_context(house(tmp_path, "kim", "park"))
        station = replace(lab.bench.station, people=lab.people, clock=lab.clock)
        api = api_of(station, SETTINGS)
        doors = doors_of(api, station, SETTINGS, TOKEN, network=(NAME,))
        sock = bind_tcp("127.0.0.1:0", "api.network.listen")
        tls = await asyncio.to_thread(tls_of, *files)
        task = await stack.enter_async_context(serving(doors, sock, tls))
        assert not task.done()
        yield Outside(lab, sock.getsockname()[1], trust, stack)


async def test_who_does_not_say_who_they_are_sees_and_does_nothing(outside: Outside) -> None:
    client = await outside.client()
    for method, path in (
        ("GET", "/devices"),
        ("GET", "/devices/stream"),
        ("GET", "/events/stream"),
        ("GET", "/openapi.json"),
        ("GET", "/users"),
        ("HEAD", "/station"),
        ("OPTIONS", "/station"),
        ("PUT", SET),
        ("POST", "/stop"),
        ("POST", "/devices/psu1/stop"),
        ("POST", "/first-administrator"),
        ("DELETE", "/session"),
        ("POST", "/nothing"),
    ):
        answer = await client.request(method, path, json={} if method != "GET" else None)
        assert answer.status_code == 401, (method, path)
    assert (await client.get("/session")).json()["signed_in"] is False
    assert "outp 0" not in outside.lab.bench.simulators["psu1"].asked


async def test_the_token_of_this_machine_does_not_count_from_others(outside: Outside) -> None:
    client = await outside.client()
    client.headers["Authorization"] = f"Bearer {TOKEN}"
    problem(await client.get("/devices"), 401, "no-token")
    made = await outside.lab.unix.post("/tokens", json={"name": "t", "scope": "technician"})
    client.headers["Authorization"] = f"Bearer {made.json()['token']}"
    assert (await client.get("/devices")).status_code == 200
    assert (await client.put(SET, json={"value": 1.5})).status_code == 200


async def test_a_person_signs_in_from_another_machine_with_a_cookie_for_it_alone(
    outside: Outside,
) -> None:
    client = await outside.client()
    answer = await client.post("/session", json=KIM)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-labkeeper-{outside.port}=")
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= {
        part.strip().lower() for part in cookie.split(";")
    }
    assert "domain" not in cookie.lower()
    client.headers["Cookie"] = cookie.partition(";")[0]
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    assert (await client.get("/devices")).status_code == 200
    assert (await client.put(SET, json={"value": 1.5})).status_code == 200
    assert (await client.post("/stop", json={})).status_code == 200
    signed_out = await client.request("DELETE", "/session", json={})
    assert signed_out.json()["signed_in"] is False
    problem(await client.get("/devices"), 401, "no-token")


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", f"x{NAME}", "bench.lab"])
async def test_the_names_of_loopback_are_none_of_the_networks(outside: Outside, host: str) -> None:
    client = await outside.client()
    client.headers["Host"] = host.format(port=outside.port)
    problem(await client.get("/session"), 421, "wrong-host")


@pytest.mark.parametrize("origin", [f"http://{NAME}", f"https://{NAME}.evil.example", "null"])
async def test_a_page_without_tls_is_not_the_agents_own(outside: Outside, origin: str) -> None:
    client = await outside.client()
    answer = await client.post("/session", json=KIM, headers={"Origin": origin})
    problem(answer, 403, "wrong-origin")


async def test_nothing_but_tls_is_spoken(outside: Outside) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{outside.port}/api/v1/session")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    _, writer = await asyncio.open_connection("127.0.0.1", outside.port, ssl=old)
    writer.close()


async def test_a_stream_ends_with_the_session_that_opened_it(outside: Outside) -> None:
    client = await outside.client()
    answer = await client.post("/session", json=KIM)
    client.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]
    heard: list[str] = []

    async def listen() -> None:
        async with client.stream("GET", "/devices/stream") as stream:
            async for kind, _, _ in sse(stream):
                heard.append(kind)

    task = asyncio.get_running_loop().create_task(listen())
    await until(lambda: bool(heard))
    await outside.lab.unix.post("/users/kim/disable", json={})
    outside.lab.bench.fleet.workers["psu1"].reconnect()  # something is told then
    async with asyncio.timeout(10.0):
        await task


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda crt, key: key.unlink(), "can't be read: no such file"),
        (lambda crt, key: crt.unlink(), "can't be read: no such file"),
        (lambda crt, key: key.write_bytes(b"nothing"), "are no certificate and its key"),
        (lambda crt, key: crt.write_bytes(b""), "are no certificate and its key"),
        (lambda crt, key: key.chmod(0o604), "by everybody on this machine"),
        (
            lambda crt, key: key.write_bytes(trustme.CA().issue_cert(NAME).private_key_pem.bytes()),
            "are no certificate and its key: key values mismatch",
        ),
    ],
)
def test_files_that_are_no_certificate_and_key_are_told_before_anything_starts(
    tmp_path: Path, spoil: object, said: str
) -> None:
    files = files_in(tmp_path, trustme.CA())
    tls_of(*files)
    spoil(*files)  # type: ignore[operator]
    with pytest.raises(CannotStart, match=said):
        tls_of(*files)


async def test_a_browser_that_nobody_knows_is_led_to_the_page_for_signing_in(
    outside: Outside,
) -> None:
    client = await outside.client()
    client.base_url = httpx.URL(f"https://127.0.0.1:{outside.port}")
    origin = f"https://{NAME}:{outside.port}"
    client.headers.update({"Accept": "text/html", "Accept-Language": "en", "Origin": origin})
    led = await client.get("/devices/psu1?kiosk=1&x=a%20b")
    where = "/sign-in?next=/devices/psu1%3Fkiosk%3D1%26x%3Da%2520b"
    assert (led.status_code, led.headers["location"]) == (303, where)
    for path in ("/parts/cards", "/live/station", "/api/v1/devices", "/api/v1/openapi.json"):
        problem(await client.get(path), 401, "no-token")
    problem(await client.get("/", headers={"Accept": "*/*"}), 401, "no-token")
    page = await client.get(where)
    assert page.status_code == 200
    assert "Go on without" not in page.text
    [style] = [it for it in page.text.split('"') if it.endswith("/style.css")]
    assert (await client.get(style)).status_code == 200
    form = {**KIM, "next": "/devices/psu1?kiosk=1"}
    back = await client.post("/sign-in", data=form)
    assert (back.status_code, back.headers["location"]) == (303, "/devices/psu1?kiosk=1")
    assert "secure" in back.headers["set-cookie"].lower()
    assert (await client.get(back.headers["location"])).status_code == 200


async def test_the_first_administrator_is_not_made_from_the_network_by_a_form_either(
    outside: Outside,
) -> None:
    client = await outside.client()
    client.base_url = httpx.URL(f"https://127.0.0.1:{outside.port}")
    client.headers["Origin"] = f"https://{NAME}:{outside.port}"
    problem(await client.post("/sign-in/first", data={"code": "x"}), 401, "no-token")
