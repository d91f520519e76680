"""What of TLS to the broker can be wrong in the files, each with a sentence."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.mqtt.tls import refusal, tls_to_broker
from agent.settings import BrokerTls
from tests.lab.locked_broker import Authority


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> BrokerTls:
    authority = Authority(tmp_path_factory.mktemp("tls") / "authority")
    authority.client("other")
    return authority.client("bench-1")


@pytest.fixture
def files(made: BrokerTls, tmp_path: Path) -> BrokerTls:
    """Copies that a test may spoil."""
    for _, file in made.files():
        shutil.copy(file, tmp_path)
    return made.beside(tmp_path).model_copy(
        update={name: tmp_path / file.name for name, file in made.files()}
    )


def test_what_is_right_is_spoken_with_tls_1_3_and_a_checked_name(files: BrokerTls) -> None:
    context = tls_to_broker(files)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == 1


def test_without_files_the_authorities_of_this_machine_are_believed() -> None:
    assert tls_to_broker(BrokerTls()).verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize(
    ("name", "spoil", "said"),
    [
        ("authority", Path.unlink, "mqtt.tls.authority: can't be read: no such file"),
        ("certificate", Path.unlink, "mqtt.tls.certificate: can't be read: no such file"),
        ("key", Path.unlink, "mqtt.tls.key: can't be read: no such file"),
        ("authority", lambda it: it.write_text("none"), "mqtt.tls.authority: is no certificate"),
        ("certificate", lambda it: it.write_text("none"), "give PEM files that belong together"),
        ("key", lambda it: it.chmod(0o644), "mqtt.tls.key: can be read or written by everybody"),
    ],
)
def test_what_is_wrong_is_said_with_its_file(
    files: BrokerTls, name: str, spoil: Callable[[Path], object], said: str
) -> None:
    file: Path = getattr(files, name)
    spoil(file)
    with pytest.raises(ConfigError) as wrong:
        tls_to_broker(files)
    assert said in str(wrong.value)
    assert str(file) in str(wrong.value)


def test_the_key_of_another_certificate_is_no_key(files: BrokerTls, made: BrokerTls) -> None:
    assert files.key is not None
    assert made.key is not None
    shutil.copy(made.key.with_name("other.key"), files.key)
    with pytest.raises(ConfigError, match="key values mismatch; give PEM files that belong"):
        tls_to_broker(files)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] (_ssl.c:1006)", "it does not speak TLS 1.3"),
        ("[SSL: WRONG_VERSION_NUMBER] (_ssl.c:1006)", "it does not speak TLS at this port"),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] (_ssl.c:2580)", "it does not know who signed"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired "
            "(_ssl.c:1006)",
            "its certificate is not to be believed: certificate has expired",
        ),
        ("[Errno 111] Connection refused", "[Errno 111] Connection refused"),
    ],
)
def test_the_words_of_the_tls_library_are_put_as_people_say_it(reason: str, said: str) -> None:
    assert str(refusal(reason)).startswith(said)
