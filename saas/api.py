"""What all views of the API share: scope, idempotency, rate limits, batches, pages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, transaction
from django.db.models import Model, QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from rest_framework.exceptions import MethodNotAllowed, NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from saas import rates, rows
from saas.billing import idempotency
from saas.errors import Problem
from tenants.keys import Principal
from tenants.scope import tenant_scope

B = TypeVar("B", bound=BaseModel)
M = TypeVar("M", bound=Model)


class Body(BaseModel):
    """The form of a request's JSON body."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid", frozen=True)


class Replay(Exception):
    """The call was answered before: answer the same again."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class InvalidBody(Problem):
    """A body that does not fit its form, field by field."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{e['field']}: {e['message']}" for e in errors[:5]))
        self.errors = errors


class View(APIView):
    """A view of the API. With `scoped`, the whole call is one transaction of the caller's tenant.

    `scopes` names, by method, the scope that the caller's key must hold. An Idempotency-Key on a
    writing call is honoured: its answer is stored in the transaction that does the work.
    """

    scopes: ClassVar[dict[str, str | None]] = {}
    scoped = True
    idempotent = True

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.in_scope = False
        self.idempotency_key: str | None = None
        self.rate_headers: dict[str, str] = {}
        try:
            with ExitStack() as self.open_scopes:
                return super().dispatch(request, *args, **kwargs)
        except Exception as error:  # the transaction could not be committed: nothing was kept
            self.in_scope = False
            failed = self.handle_exception(error)
            return self.finalize_response(self.request, failed, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))  # whatever the key may do
        super().initial(request, *args, **kwargs)
        if not isinstance(request.auth, Principal):
            return
        self.rate_headers = rates.count(request.auth)
        if request.method in ("POST", "PUT", "PATCH", "DELETE") and self.idempotent:
            self.idempotency_key = idempotency.key_of(request)
        if self.idempotency_key:
            # Read before the parsers consume it: the fingerprint needs the body as it came.
            _ = request._request.body
        if self.scoped:
            self.open_scopes.enter_context(self.scope())
            self.in_scope = True
            self.claim()
        elif self.idempotency_key:
            with self.scope():
                self._replay(idempotency.find(self.idempotency_key, self._fingerprint()))

    @property
    def principal(self) -> Principal:
        principal = self.request.auth
        assert isinstance(principal, Principal)  # noqa: S101  (HasScope let it through)
        return principal

    def scope(self) -> Any:
        """The caller's tenant, for one transaction."""
        return tenant_scope(self.principal.tenant_id)

    def claim(self) -> None:
        """Take the call's Idempotency-Key in this transaction, or answer as before."""
        if self.idempotency_key:
            self._replay(idempotency.claim(self.idempotency_key, self._fingerprint()))

    def keep(self, response: Response) -> Response:
        """Store the answer for the call's Idempotency-Key, in this transaction."""
        if self.idempotency_key:
            idempotency.keep(self.idempotency_key, response)
        return response

    def read(self, form: type[B]) -> B:
        """The request's body in that form; raises InvalidBody."""
        return validated(form, self.request.data)

    def query(self, form: type[B]) -> B:
        """The request's query parameters in that form; raises InvalidBody."""
        given = self.request.query_params
        if twice := [name for name in given if len(given.getlist(name)) > 1]:
            raise InvalidBody(
                [
                    {"field": name, "message": "Is given more than once. Give it once."}
                    for name in twice
                ]
            )
        return validated(form, given.dict())

    def answer(self, form: BaseModel, status: int = 200) -> Response:
        return Response(form.model_dump(mode="json"), status=status)

    def _fingerprint(self) -> str:
        return idempotency.fingerprint_of(self.request)

    def _replay(self, response: Response | None) -> None:
        if response is not None:
            raise Replay(response)

    def handle_exception(self, exc: Exception) -> Response:
        self.idempotency_key = None  # only the first, successful answer is kept
        if isinstance(exc, Replay):
            return exc.response
        if self.in_scope:
            transaction.set_rollback(True)  # nothing half-written stays
        response = super().handle_exception(exc)
        if isinstance(exc, InvalidBody):
            response.data["errors"] = exc.errors
        return response

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        if self.scoped and self.idempotency_key:
            self.keep(response)
        for name, value in self.rate_headers.items():
            response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)


def validated(form: type[B], data: Any) -> B:
    try:
        return form.model_validate(data)
    except ValidationError as error:
        raise InvalidBody(rows.explain(error, whole="body")) from error


class FieldError(BaseModel):
    field: str
    message: str


class RowResult(BaseModel):
    row: int
    status: rows.Status
    errors: list[FieldError] = []


class BatchResult(BaseModel):
    """What became of each row, in the order they were sent; rows count from 0."""

    created: int
    updated: int
    unchanged: int
    failed: int
    rows: list[RowResult]


def store_batch(kind: rows.Kind[Any], data: Any) -> Response:
    """Store up to BATCH_ROWS rows and answer row by row."""
    if not isinstance(data, list) or not 1 <= len(data) <= settings.BATCH_ROWS:
        raise Problem(
            f"Send a JSON array of 1 to {settings.BATCH_ROWS:,} {kind.name}.", code="invalid_batch"
        )
    outcome = rows.write(kind, data)
    return Response(outcome.counts | {"rows": outcome.rows})


class PageQuery(Body):
    """Where in a list to read: follow `next` of the page before."""

    limit: int = Field(default=50, ge=1, le=200, description="Entries a page")
    cursor: str = Field(
        default="",
        max_length=2_000,
        pattern=rows.NO_NUL,
        description="From `next` or `previous` of another page; made by the server",
    )


def page_of(form: type[BaseModel]) -> type[BaseModel]:
    """The form of one page of entries, for the documentation."""
    return create_model(
        f"{form.__name__}Page",
        next=(str | None, ...),
        previous=(str | None, ...),
        results=(list[form], ...),  # type: ignore[valid-type]
    )


NO_CONTENT = OpenApiResponse(description="Done.")


class Pages(CursorPagination):
    """Cursor pagination: `?cursor=…&limit=…`, with `next` and `previous` as whole addresses."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"


def page(
    view: View,
    queryset: QuerySet[M],
    entry: Callable[[M], BaseModel],
    *,
    ordering: str | tuple[str, ...],
    query: type[PageQuery] = PageQuery,
) -> Response:
    """One page of a queryset, every row in its form."""
    view.query(query)
    pages = Pages()
    # The key makes the order total: rows of the same moment keep their places from page to page.
    pages.ordering = (*([ordering] if isinstance(ordering, str) else ordering), "pk")
    try:
        found = pages.paginate_queryset(queryset, view.request, view=view) or []
    except (ValueError, OverflowError, DjangoValidationError, DataError, NotFound) as error:
        raise Problem(
            "The cursor is not one of ours. Take it from `next` or `previous` of another page, "
            "or leave it out to read from the start.",
            code="invalid_cursor",
        ) from error
    return pages.get_paginated_response([entry(row).model_dump(mode="json") for row in found])
