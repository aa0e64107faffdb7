"""How people sign in: django-allauth, closed to whom nobody has invited."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from saas.portal import words
from saas.webhooks import signing
from tenants import members

INVITATION = "invitation"  # the token of one, in the session


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return members.invited(request.session.get(INVITATION, "")) is not None

    def clean_email(self, email: str) -> str:
        """Whoever signs up must be who was invited."""
        token = self.request.session.get(INVITATION, "")
        on_sign_up = self.request.path.endswith("/signup/")
        if on_sign_up and members.invited(token) != email.lower():
            raise ValidationError(words.of(self.request)["account"]["not_invited"])
        return email.lower()


class Factors(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are sealed, as all that are needed again."""

    def encrypt(self, text: str) -> str:
        return signing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return signing.unseal(encrypted_text)
