"""What Prometheus's own tools say of the files in config/prometheus, and nginx of the one that it reads."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import pytest
import trustme

from tests.rules_files import CASES, PROMETHEUS, RULES

PROMTOOL, AMTOOL, NGINX = (shutil.which(it) for it in ("promtool", "amtool", "nginx"))
pytestmark = [pytest.mark.lab, pytest.mark.timeout(60)]
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="Debian's prometheus is not installed")
needs_amtool = pytest.mark.skipif(not AMTOOL, reason="prometheus-alertmanager is not installed")
needs_nginx = pytest.mark.skipif(not NGINX, reason="Debian's nginx is not installed")


async def told(*arguments: object) -> tuple[int | None, str]:
    """The exit code of a program, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()


def variants(text: str) -> list[str]:
    """A config in each of its variants, with the # taken away as the comment says."""
    found = re.findall(r"^ *# Variant: .*\n((?: *#.+\n)+)", text, re.MULTILINE)
    return [text.replace(block, re.sub(r"#", "", block)) for block in found]


def laid_out(folder: Path, config: str) -> Path:
    """The folder as an administrator copies it, with one station and certificates of an authority."""
    shutil.copytree(PROMETHEUS, folder, dirs_exist_ok=True)
    (folder / "labkeeper").mkdir()
    shutil.copy(folder / "stations.example.json", folder / "labkeeper" / "bench-3.json")
    (folder / "tls").mkdir()
    authority = trustme.CA()
    own = authority.issue_cert("prometheus.lab.example")
    authority.cert_pem.write_to_path(str(folder / "tls" / "lab-ca.crt"))
    own.cert_chain_pems[0].write_to_path(str(folder / "tls" / "prometheus.crt"))
    own.private_key_pem.write_to_path(str(folder / "tls" / "prometheus.key"))
    (folder / "tls" / "scraper.token").write_text("the-token-of-a-test")
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    return folder / "prometheus.yml"


@needs_promtool
async def test_every_case_of_every_rule_comes_out_as_it_is_meant() -> None:
    code, said = await told(PROMTOOL, "test", "rules", *CASES)
    assert (code, said.count("SUCCESS")) == (0, len(CASES)), said


@needs_promtool
async def test_a_case_that_does_not_come_out_is_noticed(tmp_path: Path) -> None:
    [case] = [it for it in CASES if it.name.startswith("devices")]
    rules = (PROMETHEUS / "rules" / "devices.yml").read_text("utf-8")
    for old, new in (("labkeeper_device_up == 0", "labkeeper_up == 0"), ("for: 5m", "for: 50m")):
        (tmp_path / "devices.yml").write_text(rules.replace(old, new), encoding="utf-8")
        text = case.read_text("utf-8").replace("../../config/prometheus/rules", str(tmp_path))
        shutil.copy(PROMETHEUS / "rules" / "recording.yml", tmp_path)
        (tmp_path / "case.yml").write_text(text, encoding="utf-8")
        code, said = await told(PROMTOOL, "test", "rules", tmp_path / "case.yml")
        assert code == 1, old
        assert "DeviceOffline" in said


@needs_promtool
async def test_the_config_is_right_as_it_stands_and_in_each_variant(tmp_path: Path) -> None:
    config = (PROMETHEUS / "prometheus.yml").read_text("utf-8")
    forms = [config, *variants(config)]
    assert [it.count("\n    tls_config") for it in forms] == [0, 1, 1, 1]
    for number, text in enumerate(forms):
        code, said = await told(PROMTOOL, "check", "config", laid_out(tmp_path / str(number), text))
        assert (code, said.count("SUCCESS")) == (0, len(RULES) + 2), said
        assert "WARNING" not in said


@needs_promtool
async def test_a_variant_without_its_certificate_is_refused(tmp_path: Path) -> None:
    [*_, both_sides] = variants((PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    config = laid_out(tmp_path / "etc", both_sides)
    (config.parent / "tls" / "prometheus.key").unlink()
    code, said = await told(PROMTOOL, "check", "config", config)
    assert code == 1
    assert "prometheus.key" in said


@needs_amtool
async def test_the_example_for_alertmanager_is_right() -> None:
    code, said = await told(AMTOOL, "check-config", PROMETHEUS / "alertmanager.yml")
    assert (code, "SUCCESS" in said) == (0, True), said


@needs_amtool
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=AgentDown severity=critical", "on-call"),
        ("alertname=DeviceOffline severity=critical", "on-call"),
        ("alertname=DeviceOffline severity=warning", "the-working-day"),
        ("alertname=JobFailed severity=warning", "the-working-day"),
        ("alertname=CalibrationDue severity=info", "nobody"),
    ],
)
async def test_only_what_is_critical_calls_somebody(labels: str, receiver: str) -> None:
    file = f"--config.file={PROMETHEUS / 'alertmanager.yml'}"
    code, said = await told(AMTOOL, "config", "routes", "test", file, *labels.split())
    assert (code, said.splitlines()[-1]) == (0, receiver)


@needs_nginx
async def test_nginx_takes_the_proxy_of_a_station(tmp_path: Path) -> None:
    tls = laid_out(tmp_path / "etc", "").parent / "tls"
    for name, made in (("bench-3.crt", "prometheus.crt"), ("bench-3.key", "prometheus.key")):
        shutil.copy(tls / made, tls / name)
    site = (PROMETHEUS / "station-nginx.conf").read_text("utf-8")
    site = site.replace("/etc/labkeeper/tls", str(tls))
    file = tmp_path / "nginx.conf"
    file.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ access_log off;\n{site}}}\n")
    code, said = await told(NGINX, "-t", "-e", os.devnull, "-c", file)
    assert (code, "test is successful" in said) == (0, True), said
