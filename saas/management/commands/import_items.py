"""manage.py import_items TENANT FILE"""

from __future__ import annotations

import argparse
from typing import Any, BinaryIO

from django.core.management.base import CommandError

from saas import imports
from saas.management.importing import ImportCommand


class Command(ImportCommand):
    help = "Import items from a CSV, TSV, JSON lines or Parquet file."
    kind = "items"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--replace",
            action="store_true",
            help="the file is the whole catalog: what is not in it is available no more",
        )
        parser.add_argument(
            "--force",
            action="store_true",
            help="with --replace: even where more than half of the available items vanish",
        )

    def run(self, source: BinaryIO, name: str, **more: Any) -> imports.Report:
        if self.chosen["force"] and not self.chosen["replace"]:
            raise CommandError("--force goes with --replace. Give both, or neither.")
        if not self.chosen["replace"]:
            return super().run(source, name, **more)
        report = imports.replace_items(source, name, force=self.chosen["force"], **more)
        self.stdout.write(f"items: {report.retired:,} not in the file, available no more")
        return report
