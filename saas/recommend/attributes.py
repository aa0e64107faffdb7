"""Flat maps of free fields: what a tenant says of an item, a customer or an event."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from saas import rows

MOST, FEW = 50, 20
LONGEST_NAME = 60
LONGEST = 500  # characters of a text
LIST = 50  # texts of a list
LARGEST = 1e15  # of a number: up to there JSON readers of every language agree


def _from_cell(value: Any) -> Any:
    """A whole map in one cell of a file is JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ValueError('Must be a JSON object, such as {"colour": "red"}') from error


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not math.isfinite(value) or abs(value) > LARGEST:
            raise ValueError("A number must lie between -1e15 and 1e15; send larger ones as text")
        return value
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        if len(value) > LIST:
            raise ValueError(f"A list holds at most {LIST} texts")
        return [_text(entry) for entry in value]
    raise ValueError("Must be a text, a number, true, false or a list of texts: nothing nested")


def _text(value: str) -> str:
    value = value.strip()
    if len(value) > LONGEST:
        raise ValueError(f"A text has at most {LONGEST} characters")
    if "\0" in value:
        raise ValueError("Holds a control character; remove it")
    return value


def _schema(most: int) -> dict[str, Any]:
    text = {"type": "string", "maxLength": LONGEST, "pattern": rows.NO_NUL}
    return {
        "type": "object",
        "maxProperties": most,
        "propertyNames": {"minLength": 1, "maxLength": LONGEST_NAME, "pattern": rows.NAME},
        "additionalProperties": {
            "anyOf": [
                text,
                {"type": "number", "minimum": -LARGEST, "maximum": LARGEST},
                {"type": "boolean"},
                {"type": "array", "maxItems": LIST, "items": text},
            ]
        },
    }


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=rows.NAME)]
Value = Annotated[Any, AfterValidator(_plain)]
Attributes = Annotated[
    dict[Name, Value],
    Field(max_length=MOST),
    BeforeValidator(_from_cell),
    WithJsonSchema(_schema(MOST)),
]
Context = Annotated[
    dict[Name, Value],
    Field(max_length=FEW),
    BeforeValidator(_from_cell),
    WithJsonSchema(_schema(FEW)),
]
"""What an event says of its own: fewer, as there are many events."""
