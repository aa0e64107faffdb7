"""The OpenAPI document: how keys, forms and problems appear in it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import ResolvedComponent

from saas.errors import MEDIA_TYPE


class Forms(PydanticExtension):  # type: ignore[misc]
    """Pydantic forms, with defaults left out of `required` where they are sent."""

    priority = 1
    target_class = "pydantic.BaseModel"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        from pydantic.json_schema import model_json_schema

        schema = model_json_schema(
            self.target,
            ref_template="#/components/schemas/{model}",
            mode="validation" if direction == "request" else "serialization",
        )
        for name, part in schema.pop("$defs", {}).items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(
                    name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part
                )
            )
        return schema


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[misc]
    target_class = "tenants.auth.KeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A secret key of your business: `Authorization: Bearer fd_sk_…`.",
        }


PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details. `code` is stable; `errors` names the fields.",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["invalid", "quota_exceeded"]},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}
CODES = ("400", "401", "402", "403", "404", "406", "409", "413", "415", "429", "503")
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same call with the same key gets the first answer again, unbilled.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Every operation can answer with a problem; every writing one takes an Idempotency-Key."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for code in CODES:
                operation["responses"].setdefault(code, {"description": "", "content": content})
            if method != "get":
                operation.setdefault("parameters", []).append(IDEMPOTENCY)
    return result
