"""The broker of config/mosquitto on a free loopback port, with an authority of its own."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.settings import BrokerTls
from tests.lab.broker import Broker

CONFIG = Path(__file__).parents[2] / "config" / "mosquitto"
SCRIPT = CONFIG / "certificates"


class Authority:
    """Signs and revokes with the script that administrators use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.do("authority")
        self.do("broker", "127.0.0.1")

    def do(self, *words: str) -> str:
        """What the script says. Raises CalledProcessError, with its complaint."""
        done = subprocess.run(
            [SCRIPT, "--folder", self.folder, *words],
            check=True, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return done.stdout

    def client(self, name: str) -> BrokerTls:
        """The files of a client, whose certificate is made if there is none."""
        if not (self.folder / f"{name}.crt").exists():
            self.do("client", name)
        return self.files(name)

    def files(self, name: str) -> BrokerTls:
        """The files of a client."""
        return BrokerTls(
            authority=self.folder / "authority.crt",
            certificate=self.folder / f"{name}.crt",
            key=self.folder / f"{name}.key",
        )

    def context(self, name: str | None) -> ssl.SSLContext:
        """How a client of this name speaks TLS; without one it shows no certificate."""
        context = ssl.create_default_context(cafile=self.folder / "authority.crt")
        if name is not None:
            files = self.client(name)
            assert files.certificate
            context.load_cert_chain(files.certificate, files.key)
        return context


class LockedBroker(Broker):
    """mosquitto with mosquitto.conf, of which only the port, the folders and the user are others."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        super().__init__(folder)
        self._authority = authority

    def _config(self) -> str:
        made = self._authority.folder
        for name in ("authority.crt", "broker.crt", "broker.key", "revoked.crl"):
            (self._folder / name).write_bytes((made / name).read_bytes())
        (self._folder / "acl").write_bytes((CONFIG / "acl").read_bytes())
        text = (CONFIG / "mosquitto.conf").read_text("utf-8")
        for said, here in (
            ("listener 8883", f"listener {self.port} {self.host}"),
            ("/etc/mosquitto/labkeeper/", f"{self._folder}/"),
            ("/var/lib/mosquitto/", f"{self._folder}/"),
            ("/var/log/mosquitto/", f"{self._folder}/"),
            ("/run/mosquitto/", f"{self._folder}/"),
        ):
            assert said in text
            text = text.replace(said, here)
        return f"{text}\nuser root\nlog_type all\n"

    async def _answers(self) -> bool:
        """Whether it completes a handshake with the authority's name on its certificate."""
        try:
            _, writer = await asyncio.open_connection(
                self.host, self.port, ssl=self._authority.context("probe")
            )
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def locked_broker(folder: Path, authority: Authority) -> AsyncIterator[LockedBroker]:
    """A broker that answers until the context ends."""
    broker = LockedBroker(folder, authority)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
