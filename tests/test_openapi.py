"""The OpenAPI document is true: every operation, called with what fits it and with what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from tests import belongings, routes
from tests.conftest import Business
from tests.wsgi import held_open

CALLS = 12  # of each operation, with data that fits and with data that does not
# Rules that a schema cannot express: what fits the schema of these may still be refused.
RULED = {
    "snooze_hand_off",
    *("issue_key", "get_usage", "import_file", "send_document"),
    *("start_run", "start_challenge", "roll_back", "label_turns", "decide_proposal"),
    "put_hand_off_policy",
    *("change_item", "delete_events", "merge_customer"),
    "fetch_pages",
    *("get_outcomes", "get_recommendation_report", "start_experiment"),
    "put_composition",
    *("create_webhook", "change_webhook", "put_action"),
    "create_completion",
    *("recommend", "create_rule", "put_rule"),
}
# Blanks around a text do not count, so that what is too long only with them is taken.
TRIMMED = {"issue_key", "put_safety_policy"}

API = schemathesis.openapi.from_wsgi("/v1/openapi.json", get_wsgi_application())
DOCUMENT: dict[str, Any] = API.raw_schema
OPERATIONS = {entry.ok().label: entry.ok() for entry in API.get_all_operations()}


@pytest.fixture(autouse=True)
def _no_rate_limit(settings: Any) -> None:
    settings.RATE_LIMIT = "1000000/minute"


def _unfit(operation: Any) -> list[Any]:
    """Checks that do not go with an operation: see RULED; a batch answers a bad row with 200."""
    described = operation.definition.raw
    names = []
    has_cursor = any(entry.get("name") == "cursor" for entry in described.get("parameters", []))
    if has_cursor or described["operationId"] in RULED:
        names.append("positive_data_acceptance")
    if described["operationId"].startswith("write_") or described["operationId"] in TRIMMED:
        names.append("negative_data_rejection")
    return CHECKS.get_by_names(names)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_as_documented(label: str, mode: GenerationMode, shop: Business) -> None:
    operation = OPERATIONS[label]
    unfit = _unfit(operation)

    @seed(1)
    @hypothesis_settings(
        max_examples=CALLS, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {shop.secret}"}, excluded_checks=unfit
        )

    with held_open():
        call()


def test_answers_about_what_is_there_are_as_documented(shop: Business) -> None:
    ids = belongings.give(shop)

    # What is deleted can be asked for no more, and the key least of all.
    ends = ("DELETE", "DELETE /v1/keys")
    for label, operation in sorted(
        OPERATIONS.items(), key=lambda pair: [pair[0].startswith(end) for end in ends]
    ):
        method, _, path = label.partition(" /v1/")
        if method != "GET" and "{" not in path:
            continue
        case = operation.Case(
            path_parameters=_ids(path, ids),
            **_body(operation),
        )
        with held_open():
            response = case.call_and_validate(headers={"Authorization": f"Bearer {shop.secret}"})
        assert response.status_code in (200, 201, 202, 204, 409), (label, response.text)


def _ids(path: str, ids: dict[str, str]) -> dict[str, str]:
    """What belongs to the braces of a path."""
    filled = routes.filled(path, ids.__getitem__).split("/")
    pairs = zip(path.split("/"), filled, strict=True)
    return {name[1:-1]: value for name, value in pairs if name.startswith("{")}


def _body(operation: Any) -> dict[str, Any]:
    """The first example that the operation shows, where it wants a body at all."""
    content = operation.definition.raw.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return {}
    examples = content["application/json"].get("examples", {"": {"value": {}}})
    return {"body": next(iter(examples.values()))["value"], "media_type": "application/json"}


def _examples() -> Iterator[tuple[str, str, Any, Any]]:
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name, example in content.get("examples", {}).items():
                    yield operation["operationId"], name, content["schema"], example["value"]


@pytest.mark.parametrize(("operation", "name", "schema", "value"), list(_examples()))
def test_examples_fit_their_own_schema(operation: str, name: str, schema: Any, value: Any) -> None:
    jsonschema.Draft202012Validator(schema | {"components": DOCUMENT["components"]}).validate(value)


def test_every_writing_operation_shows_an_example() -> None:
    bare = [
        operation["operationId"]
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        if "application/json" in (content := operation.get("requestBody", {}).get("content", {}))
        and not content["application/json"].get("examples")
    ]

    assert bare == []


def test_every_operation_says_what_it_does_and_what_can_go_wrong() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for operation in operations.values():
            assert 10 < len(operation["summary"]) < 90, path
            assert {"401", "403", "429", "503"} <= set(operation["responses"])
    assert all(problem["description"] for problem in DOCUMENT["components"]["responses"].values())
