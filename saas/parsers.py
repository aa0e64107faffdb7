"""JSON bodies, read strictly: what PostgreSQL could not store or nobody meant is refused here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # escaped NUL, not an escaped backslash before u0000


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without NaN, NUL characters, half surrogates or nesting beyond reason."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            text = stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ParseError(
                f"The body is not UTF-8: byte {error.start} cannot be read. Encode it as UTF-8."
            ) from error
        try:
            data = json.loads(text, parse_constant=_refuse_constant)
            if "\\u" in text:
                _refuse_unstorable(data)
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply. Send it flat.") from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {str(error)[:200]}.") from error
        return data


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _refuse_unstorable(data: Any) -> None:
    plain = json.dumps(data, ensure_ascii=False)
    if NUL.search(plain):
        raise ParseError("The JSON holds a NUL character (\\u0000). Remove it.")
    try:
        plain.encode()
    except UnicodeEncodeError as error:
        raise ParseError("The JSON holds half a surrogate pair. Send whole characters.") from error
