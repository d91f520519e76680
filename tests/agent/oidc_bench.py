"""A house whose people sign in at a provider, and a browser that goes there and comes back."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agent.settings import Oidc
from drivers import Role
from tests.agent.people_bench import House, house
from tests.agent.web_bench import SETTINGS
from tests.oidc_provider import CLIENT, SECRET, OidcProvider, oidc_provider

BEGIN, BACK = "/sign-in/provider", "/sign-in/provider/back"
ROLES = {"lab-technicians": Role.TECHNICIAN, "lab-admins": Role.ADMINISTRATOR}
SENT_BY_ANOTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}


@dataclass
class Browser:
    """A browser at the station, and at the provider with cookies of its own."""

    station: httpx.AsyncClient
    elsewhere: httpx.AsyncClient

    async def leave(self, back: str = "/devices/psu1", **more: str) -> str:
        """Begin a sign-in on the page; the address at the provider where it leads."""
        answer = await self.station.post(BEGIN, data={"next": back, **more})
        assert answer.status_code == 200, answer.text
        found = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]+)">', answer.text)
        assert found
        return html.unescape(found[1])

    async def log_in(self, address: str, who: str) -> str:
        """Say there who one is, where it asks; the address that it leads back to."""
        answer = await self.elsewhere.get(address)
        if answer.status_code == 200:
            action = re.search(r'action="([^"]+)"', answer.text)
            assert action
            where = httpx.URL(address).join(html.unescape(action[1]))
            answer = await self.elsewhere.post(where, data={"user": who})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def come_back(self, address: str) -> httpx.Response:
        """Follow the provider's way back, and send what the page there hands on."""
        its = self.station.cookies.jar
        lax = "; ".join(f"{it.name}={it.value}" for it in its if "-provider-" in it.name)
        headers = {**SENT_BY_ANOTHER_SITE, "Cookie": lax}  # a strict cookie is kept back
        page = await self.station.get(address, headers=headers)
        if page.status_code != 200:
            return page
        return await self.station.post(BACK, data=handed_on(page.text))

    async def sign_in(self, who: str, back: str = "/devices/psu1", **more: str) -> httpx.Response:
        """The whole way."""
        return await self.come_back(await self.log_in(await self.leave(back, **more), who))

    async def session(self) -> dict[str, Any]:
        """Who is signed in, as the station says."""
        found: dict[str, Any] = (await self.station.get("/api/v1/session")).json()
        return found


def handed_on(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    form = page[page.index('id="handed-on"') :]
    hidden = r'<input type="hidden" name="([^"]+)" value="([^"]*)">'
    fields = re.findall(hidden, form.partition("</form>")[0])
    return {name: html.unescape(value) for name, value in fields}


@dataclass
class Lab:
    """The house, its provider, and browsers."""

    house: House
    provider: OidcProvider
    _stack: AsyncExitStack

    async def browser(self) -> Browser:
        """A new one that reads English and follows no redirect."""
        base = f"http://127.0.0.1:{self.house.port}"
        headers = {"Accept": "text/html", "Accept-Language": "en", "Origin": base}
        station, elsewhere = httpx.AsyncClient(base_url=base, headers=headers), httpx.AsyncClient()
        for client in (station, elsewhere):
            await self._stack.enter_async_context(client)
        return Browser(station, elsewhere)

    def wind(self, seconds: float) -> None:
        """Let so much time pass at once, here and at the provider."""
        self.house.clock.wind(seconds)
        self.provider.ahead += seconds

    async def failures(self, count: int) -> list[tuple[str, str]]:
        """Whose sign-ins failed and why, as the ledger has it, once there are so many: no answer waits for it."""
        async with asyncio.timeout(10):
            while len(found := await self._failures()) < count:
                await asyncio.sleep(0.01)
        return found

    async def _failures(self) -> list[tuple[str, str]]:
        rows = [row.entry for row in await self.house.people.accounts.ledger.rows()]
        return [(it["object"], it["reason"]) for it in rows if it["action"] == "sign-in.failed"]


@asynccontextmanager
async def oidc_lab(folder: Path, *names: str, **more: Any) -> AsyncIterator[Lab]:
    """A house with local people of these names, and a provider beside it."""
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(oidc_provider())
        secret = folder / "oidc-secret"
        await asyncio.to_thread(secret.write_text, f"{SECRET}\n", "utf-8")
        oidc = Oidc(
            issuer=provider.issuer,
            client_id=CLIENT,
            client_secret_file=secret,
            roles=ROLES,
            **more,
        )
        settings = SETTINGS.model_copy(update={"oidc": oidc})
        lab = await stack.enter_async_context(house(folder, *names, settings=settings))
        provider.redirects.append(f"http://127.0.0.1:{lab.port}{BACK}")
        yield Lab(lab, provider, stack)
