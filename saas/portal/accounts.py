"""How people sign in: django-allauth, closed to whom nobody has invited."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from saas import workers
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

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the background: neither its time nor its failure tells who has an account.

        It waits sealed, as it may hold a link that sets a password.
        """
        from saas.portal.tasks import send

        known = {"request": self.request, "current_site": get_current_site(self.request)}
        letter = self.render_mail(template_prefix, email, known | {"email": email} | context)
        workers.queue(send, letter.subject, signing.seal(letter.body), email)


class Factors(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are sealed, as all that are needed again."""

    def encrypt(self, text: str) -> str:
        return signing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return signing.unseal(encrypted_text)
