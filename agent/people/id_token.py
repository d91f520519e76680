"""Whether an id_token says what it must: signed by the provider, for us, now, and for this sign-in. Pure.

The only file that imports joserfc, and authlib's rules for claims; late, since they are an extra.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from authlib.oidc.core.claims import CodeIDToken  # type: ignore[import-untyped]
from joserfc import errors, jwt
from joserfc.jwk import KeySet

from agent.languages.message import Message

ALGORITHMS: Final = tuple(
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
)
"""Signatures that only the holder of a private key can make: not `none`, and none by a shared secret."""
LEEWAY_S: Final = 60
"""How far the clocks of provider and station may be apart."""


class WrongToken(Exception):
    """What is wrong with an id_token, as a sentence."""


class NotByTheseKeys(WrongToken):
    """Its signature is by none of the keys that are known; the provider may have changed them."""


def verified(
    token: object,
    keys: object,
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: object,
    now: float,
) -> dict[str, Any]:
    """The claims of a token, each of which has been looked at. Raises WrongToken."""
    if not isinstance(token, str):
        raise WrongToken(Message("there is no id_token in it"))
    with _as_wrong():
        found = jwt.decode(token, _keys(keys), algorithms=ALGORITHMS)
        claims = CodeIDToken(
            found.claims,
            found.header,
            {
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            {"client_id": client_id, "nonce": nonce, "access_token": access_token},
        )
        claims.validate(now=int(now), leeway=LEEWAY_S)
    return dict(claims)


def _keys(keys: object) -> KeySet:
    if not isinstance(keys, Mapping) or not isinstance(keys.get("keys"), list):
        raise NotByTheseKeys(Message("the provider has no keys"))
    found = [it for it in keys["keys"] if isinstance(it, dict) and it.get("use", "sig") == "sig"]
    return KeySet.import_key_set({"keys": found})


@contextmanager
def _as_wrong() -> Iterator[None]:
    """Let the errors of the library end here. Raises WrongToken."""
    try:
        yield
    except (errors.InvalidKeyIdError, errors.BadSignatureError, errors.MissingKeyError) as error:
        text = Message("its signature is by no key of the provider")
        raise NotByTheseKeys(text) from error
    except (errors.UnsupportedAlgorithmError, errors.MissingAlgorithmError) as error:
        raise WrongToken(Message("it is not signed in a way that is taken here")) from error
    except errors.ExpiredTokenError as error:
        text = Message("it is too old: is the clock of this machine right?")
        raise WrongToken(text) from error
    except errors.MissingClaimError as error:
        raise WrongToken(Message("it lacks {claim}", claim=str(error.claim)[:40])) from error
    except errors.ClaimError as error:
        text = Message("its {claim} is not the right one", claim=str(error.claim)[:40])
        raise WrongToken(text) from error
    except (errors.JoseError, ValueError, TypeError, KeyError) as error:
        raise WrongToken(Message("it can't be read")) from error
