from argparse import ArgumentParser
from typing import Any, cast

from django.core.management.commands.migrate import Command as Migrate


class Command(Migrate):
    """Django's migrate, run by default as the schema's owner rather than the application's role."""

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        cast(ArgumentParser, parser).set_defaults(database="owner")
