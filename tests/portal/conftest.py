"""People of the cast in front of the portal: a member of each role, and who is none."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from django.test import Client

from tenants import members
from tenants.models import Member, User
from tests.conftest import Business

PASSWORD = "correct horse"


def owner_of(business: Business) -> Member:
    with business.scope():
        return Member.objects.select_related("user").get(role="owner")


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def member(business: Business, role: str) -> Client:
    """The browser of somebody who was invited for a role, and came."""
    if role == "owner":
        return signed_in(owner_of(business).user)
    email = f"{role}@{business.slug}.example"
    with business.scope():
        token = members.invite(by=owner_of(business), email=email, role=role)
    user = User.objects.create_user(email, PASSWORD)
    members.accept(token=token, user=user)
    return signed_in(user)


@pytest.fixture(autouse=True)
def _no_old_attempts(settings: Any) -> None:
    """Attempts to sign in count for this test alone."""
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": secrets.token_hex(4)}}


@pytest.fixture
def agent(shop: Business) -> Client:
    return member(shop, "agent")
