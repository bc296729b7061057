"""Any OpenAI-compatible server as a source of text: asked within a budget, never trusted to behave.

A server may be dead, slow, busy (429), refuse a schema, send what is no JSON, keep the line open with pings, or never
stop. Each attempt ends with text, or with the reason why not; what is worth trying again is tried again while the
budget lasts. Knows no passage.
"""

from __future__ import annotations

import math
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from rag.errors import AdFontesError

LONGEST_REPLY = 12_000
"""Characters of a reply that are read; what goes on beyond them is cut off, however the server goes on."""
MOST_TOKENS = 1_200
_PAUSE = 0.5
"""Seconds before a second attempt, doubled for each further one; a server's Retry-After counts instead."""
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading a reply that is not what it should be may raise."""
_ALTERNATIVES = 10
"""First tokens whose likelihood is asked for; servers give 20 at most, some 5."""
_SILENT = "none"
"""What stands for a key where none is set; local servers take any."""
_AGAIN = 0.5
"""The temperature of a further attempt; the first one's is 0."""
_TOO_LONG = re.compile(r"context.{0,20}(?:size|length|window)|too many tokens|prompt is too long", re.IGNORECASE)
"""How servers say that a request does not fit the model's context."""


class ModelFailedError(AdFontesError):
    """The language model gave no usable text; `again` tells whether another attempt may fare better.

    `too_long` says that a shorter request may.
    """

    def __init__(self, message: str, *, again: bool = True, wait: float | None = None, too_long: bool = False) -> None:
        super().__init__(message)
        self.again = again
        self.wait = wait
        self.too_long = too_long


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """A model on an OpenAI-compatible server. The key is kept out of every text."""

    address: str
    """With its version, as in http://127.0.0.1:8080/v1."""
    name: str
    key: str = field(default="", repr=False)
    budget: float = 60.0
    """Seconds for everything: attempts, pauses and reading."""
    attempts: int = 3

    def stream(
        self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any], until: float, attempt: int = 0
    ) -> Iterator[str]:
        """The reply to `messages`, held to the JSON `schema`, piece by piece; ends at `until` (monotonic seconds).

        Raises ModelFailedError. A server that refuses the schema is asked again for any JSON, then for plain text. A
        further `attempt` is asked for less likely words: the likeliest have failed.
        """
        import httpx
        import openai

        formats: list[dict[str, Any]] = [
            {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(schema)}}},
            {"response_format": {"type": "json_object"}},
            {},
        ]
        for number, form in enumerate(formats):
            left = until - time.monotonic()
            if left <= 0:
                raise ModelFailedError(f"no answer within {self.budget:g} s", again=False)
            try:
                yield from self._read(messages, form, until, _AGAIN if attempt else 0.0)
            except openai.BadRequestError as error:
                if _TOO_LONG.search(_said(error)):
                    message = "the passages do not fit the model's context"
                    raise ModelFailedError(message, wait=0.0, too_long=True) from error
                if number + 1 < len(formats):
                    continue
                raise ModelFailedError(f"the request was refused: {_said(error)}", again=False) from error
            except (openai.OpenAIError, httpx.HTTPError, *_UNREADABLE) as error:
                raise _failure(error) from error
            return

    def _read(
        self, messages: Sequence[Mapping[str, str]], form: Mapping[str, Any], until: float, temperature: float
    ) -> Iterator[str]:
        left = max(0.1, until - time.monotonic())
        client = _client(self.address, self.key or _SILENT)
        length = 0
        opened = partial(
            client.chat.completions.create,
            model=self.name,
            messages=list(messages),
            temperature=temperature,
            max_tokens=MOST_TOKENS,
            stream=True,
            timeout=left,
            **form,
        )
        for piece in _within(opened, until):
            if piece is None:
                raise ModelFailedError(f"no end within {self.budget:g} s", again=False)
            length += len(piece)
            if length > LONGEST_REPLY:
                raise ModelFailedError(f"the reply did not end within {LONGEST_REPLY:,} characters")
            if piece:
                yield piece

    def chance(self, messages: Sequence[Mapping[str, str]], words: tuple[str, str], until: float) -> float | None:
        """How much likelier the reply begins with the first of `words` than with the second, 0 to 1.

        None where the server tells no log-probabilities. Raises ModelFailedError.
        """
        import httpx
        import openai

        try:
            reply = _client(self.address, self.key or _SILENT).chat.completions.create(
                model=self.name,
                messages=list(messages),
                temperature=0,
                max_tokens=1,
                logprobs=True,
                top_logprobs=_ALTERNATIVES,
                timeout=max(0.1, until - time.monotonic()),
            )
            told = reply.choices[0].logprobs
            if told is None or not told.content:
                return None
            first = told.content[0]
            likely = {alternative.token: alternative.logprob for alternative in (*(first.top_logprobs or ()), first)}
            chances = [
                sum(math.exp(min(0.0, value)) for token, value in likely.items() if token.strip().casefold() == word)
                for word in words
            ]
        except openai.BadRequestError:  # one that knows no log-probabilities
            return None
        except (openai.OpenAIError, httpx.HTTPError, *_UNREADABLE) as error:
            raise _failure(error) from error
        return chances[0] / sum(chances) if sum(chances) else 0.0

    def pause(self, attempt: int, failure: ModelFailedError, until: float) -> bool:
        """Wait before another attempt; False when there is none left, in number or in time, or no use in it."""
        wait = failure.wait if failure.wait is not None else _PAUSE * 2**attempt
        if not failure.again or attempt + 1 >= self.attempts or time.monotonic() + wait >= until:
            return False
        time.sleep(wait)
        return True


def _within(opened: Callable[[], Any], until: float) -> Iterator[str | None]:
    """The text of each event of the stream that `opened` opens, empty where it has none; None once `until` has passed.

    A thread opens and reads, so that no server outlasts the budget with pings, which are no events but keep the line
    busy. It ends with the line, which is closed when nobody listens any more.
    """
    arrived: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
    line: list[Any] = []
    done = threading.Event()

    def read() -> None:
        try:
            with opened() as events:
                line.append(events)
                for event in events:
                    if done.is_set():
                        return
                    arrived.put((event.choices[0].delta.content or "") if event.choices else "")
            arrived.put(None)
        except Exception as error:  # noqa: BLE001  (raised again where it is waited for)
            arrived.put(error)

    threading.Thread(target=read, name="language model", daemon=True).start()
    try:
        while True:
            try:
                piece = arrived.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                yield None
                return
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        done.set()
        for events in line:
            events.close()


@lru_cache(maxsize=4)
def _client(address: str, key: str) -> Any:  # noqa: ANN401  (imported late: most answers need none)
    import openai

    return openai.OpenAI(base_url=address, api_key=key, max_retries=0)


def _failure(error: Exception) -> ModelFailedError:
    """What went wrong with a request, in words, and whether it is worth another."""
    import openai

    if isinstance(error, openai.RateLimitError):
        return ModelFailedError("too many requests (429)", wait=_retry_after(error))
    if isinstance(error, openai.APITimeoutError):
        return ModelFailedError("the server did not answer in time")
    if isinstance(error, openai.APIConnectionError):
        return ModelFailedError(f"the server cannot be reached ({_said(error)})")
    if isinstance(error, openai.APIStatusError):
        again = error.status_code >= 500 or error.status_code in {408, 409}
        message = f"the server answered {error.status_code}: {_said(error)}"
        return ModelFailedError(message, again=again, wait=_retry_after(error))
    return ModelFailedError(f"the reply cannot be read ({_said(error)})")


def _retry_after(error: Any) -> float | None:  # noqa: ANN401
    try:
        return max(0.0, float(error.response.headers.get("retry-after")))
    except (AttributeError, TypeError, ValueError):
        return None


def _said(error: Exception) -> str:
    """An error in one short line; what a server says of itself is not believed to be short."""
    return " ".join(str(error).split())[:200] or type(error).__name__
