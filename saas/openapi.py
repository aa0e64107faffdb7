"""The OpenAPI document: how keys, forms and problems appear in it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import ResolvedComponent

from saas.errors import MEDIA_TYPE


class Forms(PydanticExtension):
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


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = "tenants.auth.KeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A secret key of your business: `Authorization: Bearer fd_sk_…`.",
        }


PROBLEM = {
    "type": "object",
    "description": (
        "What went wrong (RFC 9457). Branch on `code`, which is stable; show `detail`, which says "
        "what to do. `errors` names the fields that are not valid."
    ),
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": ["invalid", "quota_exceeded"]},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
# The same of the operations that speak OpenAI's protocol.
OPENAI_ERROR = {
    "type": "object",
    "description": "What went wrong, in OpenAI's form. `code` is stable; `message` says what to do.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string", "examples": ["invalid_request_error"]},
                "param": {"type": ["string", "null"], "description": "The field that is not valid"},
                "code": {"type": "string", "examples": ["model_not_found"]},
            },
        }
    },
}
OPENAI_OPERATIONS = ("create_completion", "list_models", "get_model")
# Which problems an operation can answer with, and what the caller does about each.
ALWAYS = {
    "400": "The request is not valid. `detail` and `errors` say which field and why.",
    "401": "No key, or one that is unknown, expired or revoked.",
    "403": "The key lacks the scope, or the page's origin is not one of the key's.",
    "406": "`Accept` leaves no room for JSON. Leave it out.",
    "429": "Too many calls with this key. Wait `Retry-After` seconds.",
    "503": "Busy or not ready. Try again after `Retry-After` seconds; nothing was done or billed.",
}
BY_ID = {"404": "There is no such object in your business."}
WRITING = {
    "409": "It conflicts with what is there, or the Idempotency-Key was used for another call.",
}
WITH_BODY = {
    "413": "The body is larger than what is taken. Send it in parts.",
    "415": "The body is of another media type than the one documented here.",
}
BILLED = {"402": "The plan's quota of this month is used up."}
BILLED_OPERATIONS = ("send_message", "create_completion", "recommend", "start_run")
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Any text of your own, such as a UUID. The same call with the same key gets the first "
        "answer again (for 24 hours) and is not billed again."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
NOT_IDEMPOTENT = (
    *("issue_key", "rotate_key", "create_webhook", "rotate_webhook"),
    *("put_action", "delete_action", "rotate_action"),
    *("import_file", "send_document", "explain_text"),
)


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Give every operation its problems, its Idempotency-Key and a one-line summary."""
    result["components"]["schemas"] |= {"Problem": PROBLEM, "OpenAIError": OPENAI_ERROR}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    openai = {"application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}}
    every = ALWAYS | BY_ID | WRITING | WITH_BODY | BILLED
    result["components"]["responses"] = {
        f"{kind}{code}": {"description": text, "content": shown}
        for kind, shown in (("Problem", content), ("OpenAIError", openai | content))
        for code, text in every.items()
    }
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for code in _problems(path, method, operation):
                kind = "OpenAIError" if operation["operationId"] in OPENAI_OPERATIONS else "Problem"
                response = {"$ref": f"#/components/responses/{kind}{code}"}
                operation["responses"].setdefault(code, response)
            for response in operation["responses"].values():
                if response.get("description") == "":
                    response["description"] = "Done."
            if method != "get" and operation["operationId"] not in NOT_IDEMPOTENT:
                operation.setdefault("parameters", []).append(IDEMPOTENCY)
            if _is_array(operation, result["components"]["schemas"]):
                operation["requestBody"]["required"] = True
            first, *_ = operation.get("description", "").split("\n\n")
            summary = first.split(". ")[0].rstrip(".")
            operation["summary"] = " ".join(summary.split())
    return result


def _is_array(operation: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether the body is a batch: an object may be left out where all its fields have defaults."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    return bool(schemas.get(reference.rpartition("/")[2], {}).get("type") == "array")


def _problems(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    found = dict(ALWAYS)
    name = operation["operationId"]
    if "{" in path or name in ("send_message", "create_completion", "explain_text"):
        found |= BY_ID
    if method != "get" or name == "get_report":
        found |= WRITING
    if "requestBody" in operation:
        found |= WITH_BODY
    if name in BILLED_OPERATIONS:
        found |= BILLED
    return sorted(found)
