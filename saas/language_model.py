"""The language model that the operator has set, if any: a server of OpenAI's chat completions.

A hosted one, or vLLM, Ollama or the like on a machine of one's own. Its address comes from the
operator's settings only, never from a tenant; without LLM_BASE_URL nothing is sent to anybody.
"""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from openai import OpenAI

MILLION = 1_000_000


def is_set() -> bool:
    return bool(settings.LLM_BASE_URL)


def client(*, timeout: float, retries: int) -> OpenAI:
    """`timeout` is in seconds, for the connection and between the parts of an answer."""
    return _client(settings.LLM_BASE_URL, settings.LLM_API_KEY, timeout, retries)


def cost(tokens_in: int, tokens_out: int) -> Decimal:
    """By the operator's prices for a million tokens."""
    prices = (Decimal(settings.LLM_PRICE_IN), Decimal(settings.LLM_PRICE_OUT))
    return (tokens_in * prices[0] + tokens_out * prices[1]) / MILLION


def status_of(error: Exception) -> str:
    """The HTTP status of an error, for a log: the server's own words may repeat the customer's."""
    status = getattr(error, "status_code", None)
    return f", HTTP status {status}" if status else ""


@functools.lru_cache(maxsize=8)
def _client(url: str, key: str, timeout: float, retries: int) -> OpenAI:
    from openai import OpenAI

    # Servers of one's own often want no key.
    return OpenAI(base_url=url, api_key=key or "none", timeout=timeout, max_retries=retries)
