"""What the commands `manage.py import_…` share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from tqdm import tqdm

from saas import imports
from saas.encodings import FileError
from saas.errors import Problem
from tenants import members

SHOWN = 10


def _mapping(given: str) -> tuple[str, str]:
    theirs, sign, ours = given.rpartition("=")
    if not sign or not theirs or not ours:
        raise argparse.ArgumentTypeError(f"{given!r} is not of the form theirs=ours")
    return theirs, ours


class ImportCommand(BaseCommand):
    """Import a file of one kind of rows into one tenant. The same file again changes nothing."""

    kind: ClassVar[str]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("file", type=Path, help="CSV, TSV, JSON lines or Parquet")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            type=_mapping,
            metavar="THEIRS=OURS",
            help="a column of the file and what it is called here; may be given several times",
        )

    def run(self, source: BinaryIO, name: str, **more: Any) -> imports.Report:
        """Store a file's rows."""
        return imports.run(imports.KINDS[self.kind], source, name, **more)

    def handle(self, *, tenant: str, file: Path, map: list[tuple[str, str]], **chosen: Any) -> None:
        self.chosen = chosen
        kind = imports.KINDS[self.kind]
        columns = dict(map)
        unknown = sorted(set(columns.values()) - set(kind.form.model_fields))
        if unknown:
            raise CommandError(
                f"--map: {', '.join(unknown)}: {kind.name} have no such column. "
                f"They have {', '.join(kind.form.model_fields)}."
            )
        try:
            report = self._run(tenant, file, columns)
        except (FileError, Problem) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror or error}.") from error
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                "The database does not answer. Rows stored before are kept: "
                "import the file again once it does."
            ) from error
        self._show(report)

    def _run(self, tenant: str, file: Path, columns: dict[str, str]) -> imports.Report:
        tenant_id = members.find_tenant_id(tenant)
        if tenant_id is None:
            raise CommandError(f"There is no tenant {tenant!r}. Check the slug.")
        with (
            file.open("rb") as source,
            tqdm(total=file.stat().st_size, unit="B", unit_scale=True, desc=self.kind) as bar,
        ):

            def advance(rows: int) -> None:
                bar.set_postfix_str(f"{rows:,} rows", refresh=False)
                bar.update(source.tell() - bar.n)

            return self.run(
                source, file.name, tenant_id=tenant_id, columns=columns, advance=advance
            )

    def _show(self, report: imports.Report) -> None:
        counts = ", ".join(f"{number:,} {status}" for status, number in report.counts.items())
        for row in report.failures[:SHOWN]:
            for mistake in row["errors"]:
                self.stderr.write(f"row {row['row']:,}: {mistake['field']}: {mistake['message']}")
        if report.counts["failed"] > SHOWN:
            self.stderr.write(f"… and {report.counts['failed'] - SHOWN:,} more rows.")
        if not report.kept:
            raise CommandError(f"None of the {report.total:,} {self.kind} could be kept.")
        self.stdout.write(f"{self.kind}: {counts}")
