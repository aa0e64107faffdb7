"""Secrets that sign what is sent: kept sealed, because unlike a key's they are needed again.

The form is Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks): a receiver
checks it with that project's libraries.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from standardwebhooks.webhooks import Webhook as Signer

PREFIX = "whsec_"


class SealBroken(Exception):
    """The secret was sealed under a SECRET_KEY that is not known here any more."""


def new_secret() -> str:
    """A secret of 256 bits, in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def seal(secret: str) -> str:
    """The secret as it is stored: of no use without SECRET_KEY."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret that was sealed; raises SealBroken."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken as error:
        raise SealBroken from error


def is_intact(sealed: str) -> bool:
    """Whether the secret can still be read."""
    try:
        unseal(sealed)
    except SealBroken:
        return False
    return True


def headers(sealed: Sequence[str], *, id: str, at: datetime, body: str) -> dict[str, str]:
    """What a call carries: who reads one of the secrets can check `body`. `at` is in UTC.

    Raises SealBroken.
    """
    signatures = [Signer(unseal(secret)).sign(id, at, body) for secret in sealed]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _box() -> MultiFernet:
    """Seals with today's SECRET_KEY, and opens what former ones sealed."""
    return MultiFernet([_fernet(k) for k in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _fernet(key: str) -> Fernet:
    # SECRET_KEY is random and long: it needs no slow derivation, only one of its own for this use.
    derived = HKDF(SHA256(), length=32, salt=None, info=b"frontdesk.webhooks").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
