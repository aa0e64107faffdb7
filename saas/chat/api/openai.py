"""What all views in OpenAI's forms share: its errors, and the list of models."""

from __future__ import annotations

from typing import Any, Literal

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response

from saas import errors
from saas.api import InvalidBody, View
from saas.chat.completions import MODEL, error_of
from tenants.models import Tenant


class UnknownModel(InvalidBody):
    status_code = 404
    default_code = "model_not_found"


class OpenAIView(View):
    """A view whose errors have OpenAI's form, with our codes."""

    def get_exception_handler(self) -> Any:
        return _failure

    def handle_exception(self, exc: Exception) -> Any:
        response = super().handle_exception(exc)
        if isinstance(exc, InvalidBody):
            del response.data["errors"]  # the error names the field
        return response


def _failure(error: Exception, context: dict[str, Any]) -> Response:
    response = errors.problem(error, context)
    problem = response.data
    param = error.errors[0]["field"] if isinstance(error, InvalidBody) else None
    message = problem.get("detail") or problem["title"]
    response.data = {"error": error_of(response.status_code, problem["code"], message, param)}
    response.content_type = "application/json"
    return response


class ModelOut(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelsOut(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelOut]


def _model() -> ModelOut:
    tenant = Tenant.objects.get()
    created = int(tenant.created_at.timestamp())
    return ModelOut(id=MODEL, created=created, owned_by=tenant.slug)


class Models(OpenAIView):
    scopes = {"GET": "chat"}

    @extend_schema(operation_id="list_models", responses={200: ModelsOut})
    def get(self, request: Request) -> Response:
        """The models of the OpenAI-compatible endpoint: your bot is one."""
        return self.answer(ModelsOut(data=[_model()]))


class OneModel(OpenAIView):
    scopes = {"GET": "chat"}

    @extend_schema(operation_id="get_model", responses={200: ModelOut})
    def get(self, request: Request) -> Response:
        """Your bot as a model of the OpenAI-compatible endpoint."""
        return self.answer(_model())
