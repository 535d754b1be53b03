"""Ask a language model behind an OpenAI-compatible address (`/chat/completions`) for a short text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from catalog.errors import BadInput
from search.assistant.services.signed_post import ServiceFailed, check_address, post_bytes

COMPLETIONS = "/chat/completions"
MAX_TOKENS = 300
TIMEOUT_S = 6.0


@dataclass(frozen=True, slots=True, repr=False)
class ChatService:
    """A model by its address, key and name. The key is sent to that address alone, and redirects are not followed."""

    url: str
    model: str
    key: str = ""
    timeout_s: float = TIMEOUT_S

    def __post_init__(self) -> None:
        """Raise BadInput for an address that is not https, unless it is on this machine, and without a model."""
        check_address(self.url)
        if not self.model.strip():
            raise BadInput("The language model has no name.", "Set WINDOWSHOP_ASSISTANT_LLM_MODEL.")
        if any(ord(character) < 32 for character in self.key):
            raise BadInput("The key of the language model has a line break.", "Set the key alone.")

    def complete(self, messages: Sequence[tuple[str, str]]) -> str:
        """Return the text that the model gives to messages of role and text. Raises ServiceFailed."""
        request: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": role, "content": text} for role, text in messages],
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
            "stream": False,
        }
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        answer = post_bytes(self._address(), json.dumps(request).encode(), headers, self.timeout_s)
        if answer.status != 200:
            raise ServiceFailed(f"The language model answered {answer.status}.")
        return _text_of(answer.body)

    def _address(self) -> str:
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        return parts._replace(path=path if path.endswith(COMPLETIONS) else path + COMPLETIONS).geturl()


def _text_of(body: bytes) -> str:
    """Return the text of an answer; raises ServiceFailed for any other form, and for a text that was cut short."""
    try:
        choice = json.loads(body)["choices"][0]
        text, reason = choice["message"]["content"], choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ServiceFailed("The language model's answer has not the form of chat completions.") from error
    if not isinstance(text, str) or reason not in ("stop", None):
        raise ServiceFailed("The language model gave no text, or not all of it.")
    return text.strip()
