"""The API of imports: one file of rows, answered with what was kept and what failed."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from saas import imports
from saas.api import RowResult, View
from saas.encodings import FileError
from saas.errors import Problem
from saas.recommend import items

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
    retired: int = Field(description="With replace: items that were not in the file")
    failures: list[RowResult]


UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "required": ["kind", "file"],
        "properties": {
            "kind": {"type": "string", "enum": sorted(SCOPES)},
            "file": {"type": "string", "format": "binary"},
            "replace": {
                "type": "string",
                "enum": ["true", "false"],
                "description": "Items only: the file is the whole catalog, and what is not in it is "
                "available no more. Refused where that is more than half of what is available.",
            },
            "force": {
                "type": "string",
                "enum": ["true", "false"],
                "description": "With replace: even where more than half vanishes",
            },
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
        report = self._store(kind, file, self._switch("replace"), self._switch("force"))
        found: dict[str, Any] = {"kind": kind, "failures": report.failures, **report.counts}
        return self.answer(ImportResult(retired=report.retired, **found))

    def _switch(self, name: str) -> bool:
        value = self.request.POST.get(name, "false")
        if value not in ("true", "false"):
            raise Problem(f"{name} must be true or false.")
        return value == "true"

    def _store(self, kind: str, file: Any, replace: bool, force: bool) -> imports.Report:
        if replace and kind != items.KIND.name:
            raise Problem("Only items can be replaced as a whole. Leave replace out.")
        if force and not replace:
            raise Problem("force goes with replace. Send both, or neither.")
        name, tenant_id = file.name or "", self.principal.tenant_id
        try:
            if replace:
                return imports.replace_items(file, name, tenant_id=tenant_id, force=force)
            return imports.run(imports.KINDS[kind], file, name, tenant_id=tenant_id)
        except FileError as error:
            raise Problem(str(error), code="invalid_file") from error
