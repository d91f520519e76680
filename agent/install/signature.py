"""Who has signed a release: ssh-keygen(1) knows, which every station has.

`ssh-keygen -Y sign -n labkeeper-release -f KEY SHA256SUMS` makes a signature; the file of those who
may sign has lines such as `releases@lab.example ssh-ed25519 AAAA…`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from agent.errors import CannotStart
from agent.languages.message import N_, Message

SIGNED_AS: Final = "labkeeper-release"
"""The namespace of the signature, so that one made for something else does not count."""
WITHIN_S: Final = 20.0


class BadBundle(CannotStart):
    """It is no bundle, or not as it was made."""


def check_signature(sums: bytes, signature: bytes, signers: Path, bundle: Path) -> None:
    """Raise BadBundle unless one of the signers has signed the sums of the bundle."""
    with TemporaryDirectory() as folder:
        kept = Path(folder) / "signature"
        kept.write_bytes(signature)
        found = _asked("find-principals", "-s", kept, "-f", signers)
        who = found.splitlines()[:1] if found else []
        if who and _asked(
            "verify", "-f", signers, "-I", who[0], "-n", SIGNED_AS, "-s", kept, given=sums
        ):
            return
    text = N_("{path} is not signed by anybody whom {signers} names: nothing was changed")
    raise BadBundle(Message(text, path=bundle, signers=signers))


def _asked(what: str, *options: str | Path, given: bytes = b"") -> str:
    """What ssh-keygen answers, "" where it says no. Raises BadBundle where there is none."""
    command = ["ssh-keygen", "-Y", what, *map(str, options)]
    try:
        ended = subprocess.run(
            command, input=given, capture_output=True, timeout=WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        text = N_("the signature can't be checked: ssh-keygen of OpenSSH is needed here")
        raise BadBundle(Message(text)) from error
    return "" if ended.returncode else ended.stdout.decode("utf-8", "replace")
