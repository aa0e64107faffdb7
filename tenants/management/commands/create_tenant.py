from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from tenants import keys, members
from tenants.models import Tenant
from tenants.scope import tenant_scope


class Command(BaseCommand):
    help = "Create a tenant with its owner, and print a secret key of it, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name for addresses: a-z, 0-9, hyphens")
        parser.add_argument("--name", required=True, help="the business's name")
        parser.add_argument("--email", required=True, help="the owner's e-mail address")
        parser.add_argument("--language", choices=Tenant.Language.values, default="en")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # Without a password nobody can sign in; the owner sets one by e-mail.
            tenant = members.sign_up(
                email=options["email"],
                password=None,
                name=options["name"],
                slug=options["slug"],
                language=options["language"],
            )
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        with tenant_scope(tenant.id):
            _, secret = keys.issue(name="first key", actor=options["email"])
        self.stdout.write(f"Tenant {tenant.slug} is ready. Its key, shown this once:\n{secret}")
