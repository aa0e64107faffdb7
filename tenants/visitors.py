"""Visitors of a tenant's pages: nobody knows them, so what they hold is a signature and no row.

A token is bound to its tenant, publishable key, origin and visitor. It is for calls for `LIFETIME`, and
for a new token in its place for `RENEWABLE`. `LEEWAY` is how far the clocks of our servers, and of a
tenant's that signs who a visitor is, may be apart.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from django.core import signing

from tenants import keys

LIFETIME = 15 * 60  # seconds
RENEWABLE = 30 * 24 * 3600
LEEWAY = 60
PREFIX = "fd_vt_"
SALT = "frontdesk.visitor"
VISITOR = "visitor:"  # before the id of one whom no tenant's server has named
LONGEST = 128  # characters of a customer's id


class Refused(Exception):
    """The token or the proof of identity is not taken; the words say why."""


@dataclass(frozen=True, slots=True)
class Visitor(keys.Principal):
    """Who calls: somebody on a tenant's page; `customer` is who they were proven to be until `proven`.

    `turn` counts how often the token was renewed; one that has `expired` is for a new one only.
    """

    id: str = ""
    origin: str = ""
    customer: str = ""
    proven: int = 0
    turn: int = 0
    expired: bool = False

    @property
    def actor(self) -> str:
        return f"visitor {self.id[:8]}"

    @property
    def name(self) -> str:
        """Whose conversations are theirs."""
        return self.customer or f"{VISITOR}{self.id}"


def new_id() -> str:
    return secrets.token_hex(16)


def sign(
    *, key: keys.Principal, id: str, origin: str, customer: str = "", proven: int = 0, turn: int = 0
) -> str:
    """A token for calls from now on."""
    parts = [str(key.tenant_id), str(key.key_id), origin, id, customer, proven, turn]
    return PREFIX + signing.dumps([*parts, int(time.time())], salt=SALT)


def read(token: str, *, origin: str) -> Visitor:
    """Who holds this token and calls from that origin. Raises Refused.

    The key must be alive and for that origin still. Known before the tenant is, as the token names it.
    """
    tenant_id, key_id, bound, id, customer, proven, turn, made = _parts(token)
    age = time.time() - made
    if not -LEEWAY <= age <= RENEWABLE + LEEWAY:
        raise Refused("This visitor token has expired.")
    if bound != origin:
        raise Refused("This visitor token is of another site.")
    key = keys.live(tenant_id, key_id)
    if key is None or key.origins is None or origin not in key.origins:
        raise Refused("The key of this visitor token is not alive, or not for this site any more.")
    if time.time() > proven + LEEWAY:
        customer = ""
    return Visitor(
        tenant_id=key.tenant_id,
        key_id=key.key_id,
        prefix=key.prefix,
        scopes=key.scopes,
        origins=key.origins,
        id=id,
        origin=origin,
        customer=customer,
        proven=proven,
        turn=turn,
        expired=age > LIFETIME + LEEWAY,
    )


def identify(proof: str, *, secret: str) -> tuple[str, int]:
    """Whom a tenant's server says a visitor to be, and until when (Unix time). Raises Refused.

    `proof` is a JWT signed by HMAC (HS256) with the widget's secret: `sub` is the customer's id, `exp` must
    be there.
    """
    try:
        claims = jwt.decode(
            proof,
            secret,
            algorithms=["HS256"],
            leeway=LEEWAY,
            options={"require": ["sub", "exp"], "verify_aud": False},
        )
    except jwt.InvalidTokenError as error:
        raise Refused(f"The proof of identity is not taken: {error}.") from error
    customer = claims["sub"].strip()
    if not customer or len(customer) > LONGEST or not customer.isprintable():
        raise Refused(f"'sub' must be a customer's id of 1 to {LONGEST} printable characters.")
    return customer, int(claims["exp"])


def _parts(token: str) -> tuple[UUID, UUID, str, str, str, int, int, int]:
    try:
        found: list[Any] = signing.loads(token.removeprefix(PREFIX), salt=SALT)
    except signing.BadSignature as error:
        raise Refused("This is no visitor token of ours.") from error
    tenant_id, key_id, *rest = found
    return (UUID(tenant_id), UUID(key_id), *rest)
