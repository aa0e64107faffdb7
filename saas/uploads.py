"""The API of imports: one file of rows, answered with what was kept and what failed."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from saas import imports
from saas.api import RowResult, View
from saas.errors import Problem
from saas.files import FileError

SCOPES = {
    "examples": "examples:write",
    "replies": "knowledge:write",
    "knowledge": "knowledge:write",
    "items": "items:write",
    "events": "events:write",
    "turns": "examples:write",
}


class ImportResult(BaseModel):
    """Counts, and the first 100 rows that failed; rows count from 1."""

    kind: Literal["examples", "replies", "knowledge", "items", "events", "turns"]
    created: int
    updated: int
    unchanged: int
    failed: int
    failures: list[RowResult]


UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "required": ["kind", "file"],
        "properties": {
            "kind": {"type": "string", "enum": sorted(SCOPES)},
            "file": {"type": "string", "format": "binary"},
        },
    }
}


class Imports(View):
    scopes = {"POST": None}  # it depends on the kind of rows: see SCOPES
    scoped = False  # a file is stored chunk by chunk, each chunk in a transaction of its own
    idempotent = False  # importing a file again changes nothing by itself
    parser_classes = [MultiPartParser]

    @extend_schema(operation_id="import_file", request=UPLOAD, responses={200: ImportResult})
    def post(self, request: Request) -> Response:
        """Import a CSV, TSV, JSON lines or Parquet file. UTF-8, UTF-16 and GB18030 are recognised.

        The same file again changes nothing: send it again after an error. `failures` shows the first
        100 rows that are not valid; all others are kept.
        """
        kind, file = request.POST.get("kind"), request.FILES.get("file")
        if kind not in imports.KINDS:
            raise Problem(f"kind must be one of {', '.join(sorted(imports.KINDS))}.")
        if file is None:
            raise Problem("Send the file as the form field 'file'.")
        if SCOPES[kind] not in self.principal.scopes:
            raise PermissionDenied(f"This key lacks the scope {SCOPES[kind]!r}.")
        try:
            report = imports.run(
                imports.KINDS[kind],
                file,
                file.name or "",
                tenant_id=self.principal.tenant_id,
            )
        except FileError as error:
            raise Problem(str(error), code="invalid_file") from error
        found: dict[str, Any] = {"kind": kind, "failures": report.failures, **report.counts}
        return self.answer(ImportResult(**found))
