"""What a language model says to some messages: within its time, and where its server is not at rest."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import structlog
from django.conf import settings

from saas import language_model
from saas.chat.breaker import Breaker

if TYPE_CHECKING:
    from openai import Stream
    from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

log = structlog.get_logger(__name__)
CHARACTERS = 1.5  # in a token at least, over both languages: an estimate that errs upwards
FAILURES = 3  # in a row, after which nobody waits for the server for a while


class Silent(Exception):
    """It "failed" (does not answer, or broke off), or "rested" (was not asked, as it had failed again)."""


def breaker_of_server() -> Breaker:
    return Breaker(settings.LLM_BASE_URL, failures=FAILURES, probe=2 * settings.LLM_TIMEOUT)


class Speech:
    """`tokens`, in and out, are what it takes: at most, until the server has told; 0 where it never began.

    `is_cut` where it would have said more than `most` tokens.
    """

    def __init__(self, messages: Sequence[ChatCompletionMessageParam], *, most: int) -> None:
        self._messages, self._most = messages, most
        asked = sum(len(str(message.get("content"))) for message in messages)
        self.tokens = (int(asked / CHARACTERS), most)
        self.is_cut = False

    def pieces(self) -> Generator[str]:
        """Its words as they come. The request is under way once this returns. Raises Silent."""
        breaker = breaker_of_server()
        if not breaker.lets_through():
            self.tokens = (0, 0)
            raise Silent("rested")
        client = language_model.client(timeout=settings.LLM_TIMEOUT / 2, retries=0)
        try:
            stream = client.chat.completions.create(
                model=settings.LLM_MODEL,
                messages=self._messages,
                max_tokens=self._most,
                temperature=0,
                stream=True,
                stream_options={"include_usage": True},
            )
        except _errors() as error:
            breaker.note(failed=True)
            if not _timed_out(error):
                self.tokens = (0, 0)
            raise _silent(error) from error
        return self._read(stream, breaker, time.monotonic() + settings.LLM_TIMEOUT)

    def _read(
        self, stream: Stream[ChatCompletionChunk], breaker: Breaker, deadline: float
    ) -> Generator[str]:
        failed = finished = False
        try:
            with stream:
                for chunk in stream:
                    try:
                        if chunk.usage:
                            used = chunk.usage
                            self.tokens = (used.prompt_tokens, used.completion_tokens)
                        for choice in chunk.choices:
                            finished = finished or bool(choice.finish_reason)
                            self.is_cut = self.is_cut or choice.finish_reason == "length"
                            yield choice.delta.content or ""
                    except (AttributeError, TypeError) as error:
                        raise ValueError("no chunk of a chat completion") from error
                    if time.monotonic() > deadline:
                        raise TimeoutError
            if not finished:
                raise ValueError("broke off")
        except _errors() as error:
            failed = True
            raise _silent(error) from error
        finally:  # also where nobody wants to hear the rest
            breaker.note(failed=failed)


def _silent(error: Exception) -> Silent:
    reason = f"{type(error).__name__}{language_model.status_of(error)}"
    log.warning("the language model did not answer", reason=reason)
    return Silent("failed")


def _timed_out(error: Exception) -> bool:
    from openai import APITimeoutError

    return isinstance(error, APITimeoutError)


def _errors() -> tuple[type[Exception], ...]:
    """What a server does wrong: the client's own errors, and a stream that is none or breaks off."""
    from openai import OpenAIError

    return (OpenAIError, ValueError, TimeoutError)
