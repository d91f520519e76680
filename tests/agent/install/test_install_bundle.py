"""Bundles that are damaged, bent or signed by nobody: each is refused before anything is touched."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.install.bundle import opened
from agent.install.signature import BadBundle
from agent.install.versions import NoRelease
from tests.agent.install_bench import bundle, seal


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return bundle(tmp_path, "0.1.0")


def look(path: Path, signers: Path | None = None) -> str:
    with opened(path, signers) as found:
        return found.release.version


def damage(made: Path) -> None:
    [wheel] = (made / "wheels").glob("labkeeper-*")
    content = bytearray(wheel.read_bytes())
    content[100] ^= 1
    wheel.write_bytes(content)


def take_away(made: Path) -> None:
    (made / "requirements.txt").unlink()


def put_in(made: Path) -> None:
    (made / "wheels" / "evil-1-py3-none-any.whl").write_bytes(b"")


def lead_outside(made: Path) -> None:
    (made / "requirements.txt").unlink()
    (made / "requirements.txt").symlink_to("/etc/passwd")


def climb(made: Path) -> None:
    sums = made / "SHA256SUMS"
    sums.write_text(sums.read_text() + f"{'0' * 64}  ../../etc/passwd\n")


def without_sums(made: Path) -> None:
    (made / "SHA256SUMS").unlink()


@pytest.mark.parametrize(
    ("bend", "said"),
    [
        (damage, "is damaged: its SHA-256 differs"),
        (take_away, "not whole, or has too much in it: look at requirements.txt"),
        (put_in, "not whole, or has too much in it: look at wheels/evil"),
        (lead_outside, "is not a plain file"),
        (climb, "has a line that is none of its own"),
        (without_sums, "it has no SHA256SUMS; scripts/release makes one"),
    ],
)
def test_a_bundle_that_is_not_as_it_was_made_is_refused(
    made: Path, bend: Callable[[Path], None], said: str
) -> None:
    assert look(made) == "0.1.0"
    bend(made)
    with pytest.raises(BadBundle, match=said):
        look(made)


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"\xff\xd8" * 600)
    with pytest.raises(BadBundle, match=r"photo\.jpg can't be read as a bundle"):
        look(file)
    with pytest.raises(BadBundle, match=r"nothing\.tar can't be read as a bundle: No such file"):
        look(tmp_path / "nothing.tar")


def test_a_link_in_the_file_of_a_bundle_is_refused(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar"
    link = tarfile.TarInfo("labkeeper-0.1.0/etc")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with tarfile.open(file, "w") as archive:
        archive.add(made, made.name)
        archive.addfile(link)
    with pytest.raises(BadBundle, match="which no bundle has: nothing was changed"):
        look(file)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_whatever_bit_of_its_file_is_turned_it_is_refused_or_the_same(
    made: Path, data: st.DataObject
) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(made, made.name)
    content = bytearray(packed.getvalue())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    file = made.parent / "bent.tar"
    file.write_bytes(content)
    with suppress(BadBundle, NoRelease), opened(file, None) as found:
        # The turned bit was in what tar keeps beside the files, such as a time or an owner.
        for name, open_ in found.files.items():
            with open_() as one:
                assert one.read() == (made / name).read_bytes()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    return _key(tmp_path / "key")


def _key(path: Path) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path), "-C", ""]
    subprocess.run(command, check=True, timeout=20)
    return path


def sign(made: Path, key: Path, namespace: str = "labkeeper-release") -> None:
    (made / "SHA256SUMS.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key)]
    subprocess.run([*command, str(made / "SHA256SUMS")], check=True, timeout=20)


def test_where_signers_are_named_one_of_them_must_have_signed(made: Path, key: Path) -> None:
    signers = made.parent / "signers"
    public = key.with_suffix(".pub").read_text().strip()
    signers.write_text(f"releases@lab.example {public}\n")
    with pytest.raises(BadBundle, match="is not signed by anybody whom"):
        look(made, signers)
    sign(made, _key(made.parent / "stranger"))
    with pytest.raises(BadBundle, match="is not signed by anybody whom"):
        look(made, signers)
    sign(made, key, "file")  # by the right one, for something else
    with pytest.raises(BadBundle, match="is not signed by anybody whom"):
        look(made, signers)
    sign(made, key)
    assert look(made, signers) == "0.1.0"
    (made / "requirements.txt").write_text("evil==1\n")
    seal(made)  # sums that fit, and a signature that does not
    with pytest.raises(BadBundle, match="is not signed by anybody whom"):
        look(made, signers)


def test_without_signers_a_bundle_needs_no_signature(made: Path) -> None:
    assert look(made, None) == "0.1.0"


def test_a_file_that_changes_after_the_check_is_noticed_while_it_is_copied(
    made: Path, tmp_path: Path
) -> None:
    with opened(made, None) as found:
        damage(made)
        (tmp_path / "there").mkdir()
        with pytest.raises(BadBundle, match="is damaged"):
            found.unpack(tmp_path / "there")
    assert os.listdir(tmp_path / "there")  # it was noticed on the way
