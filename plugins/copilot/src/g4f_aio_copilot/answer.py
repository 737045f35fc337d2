"""The service's frames into events. No I/O.

A frame is a JSON object with its type in ``event``. Types that are not known say nothing; a frame
that is no such object, or a known one without what belongs in it, is an error.
"""

from __future__ import annotations

import json
from typing import Any

from g4f_aio import (
    Citation,
    Citations,
    Event,
    Media,
    ReasoningDelta,
    Status,
    Suggestions,
    TextDelta,
    Title,
)

from .faults import Faults


class Answer:
    """One answer, fed with frames as they come."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        #: the text so far, by the part of the message it belongs to
        self._texts: dict[object, str] = {}
        self._cited: set[str] = set()
        self._picture = ""
        #: the answer is whole
        self.done = False
        #: the questions that it may suggest, the last it has to say, have come
        self.suggested = False
        #: it sent a challenge that asks for nothing, and nothing of an answer since then
        self.challenged = False

    def feed(self, data: str) -> tuple[Event, ...]:
        """The events of one frame; GatewayError when it is an error or no proper frame."""
        try:
            frame = json.loads(data)
        except (ValueError, RecursionError):
            raise self._faults.failed("sent a frame that is no JSON") from None
        match frame:
            case {"event": str(kind)}:
                return self._events(kind, frame)
            case _:
                raise self._faults.failed("sent a frame that is no event")

    def lost(self, error: Exception) -> Exception:
        """The reason why nothing came any more, where there is a better one than *error*."""
        if not self.challenged:
            return error
        return self._faults.refused("sent a challenge and nothing after it")

    def _events(self, kind: str, frame: dict[str, Any]) -> tuple[Event, ...]:
        match kind:
            case "appendText":
                return self._append(frame.get("partId"), self._text(frame, "text"))
            case "replaceText":
                return self._replace(frame.get("partId"), self._text(frame, "text"))
            case "chainOfThought":
                self.challenged = False
                return (ReasoningDelta(self._text(frame, "text")),)
            case "generatingImage":
                self._picture = _words(frame.get("prompt"))
                return (Status(f"Making an image: {self._picture}".rstrip(": ")),)
            case "imageGenerated":
                alt = _words(frame.get("prompt")) or self._picture
                return (Media("image", self._url(frame, "url"), alt=alt),)
            case "citation":
                return self._cite(self._url(frame, "url"), _words(frame.get("title")))
            case "titleUpdate":
                return (Title(self._text(frame, "title")),)
            case "suggestedFollowups":
                return self._suggest(frame)
            case "done":
                self.done = True
                return ()
            case "error":
                raise self._failure(frame)
            case "challenge":
                return self._challenge(frame.get("method"))
            case _:
                return ()

    def _append(self, part: object, text: str) -> tuple[Event, ...]:
        self.challenged = False
        if not text:
            return ()
        key = str(part)
        self._texts[key] = self._texts.get(key, "") + text
        return (TextDelta(text),)

    def _replace(self, part: object, text: str) -> tuple[Event, ...]:
        """What is said cannot be taken back: only what is new comes, or all of it once more."""
        key = str(part)
        said = self._texts.get(key, "")
        if text.startswith(said):
            return self._append(part, text[len(said) :])
        self._texts[key] = text
        return (TextDelta(f"\n\n{text}"),) if text else ()

    def _cite(self, url: str, title: str) -> tuple[Event, ...]:
        if url in self._cited:
            return ()
        self._cited.add(url)
        return (Citations((Citation(url, title),)),)

    def _suggest(self, frame: dict[str, Any]) -> tuple[Event, ...]:
        match frame.get("suggestions"):
            case list(items) if all(type(item) is str for item in items):
                self.suggested = True
                return (Suggestions(tuple(map(_whole, items))),) if items else ()
            case _:
                raise self._malformed(frame)

    def _challenge(self, method: object) -> tuple[Event, ...]:
        """It asks for a person. One without a method asks for nothing; an answer may follow."""
        if not method:
            self.challenged = True
            return ()
        asked = self._faults.quote(_words(method)) or "unknown"
        raise self._faults.refused(
            f"wants proof that a person is there ({asked} challenge), and gets none from a program"
        )

    def _failure(self, frame: dict[str, Any]) -> Exception:
        said = [_words(frame.get(key)) for key in ("errorCode", "code", "message", "error")]
        words = ": ".join(dict.fromkeys(filter(None, said))) or "it does not say why"
        return self._faults.failed(f"failed: {self._faults.quote(words)}")

    def _text(self, frame: dict[str, Any], key: str) -> str:
        value = frame.get(key)
        if type(value) is not str:
            raise self._malformed(frame)
        return _whole(value)

    def _url(self, frame: dict[str, Any], key: str) -> str:
        url = self._text(frame, key)
        if not url.startswith(("https://", "http://")):
            raise self._malformed(frame)
        return url

    def _malformed(self, frame: dict[str, Any]) -> Exception:
        return self._faults.failed(f"sent a malformed {frame['event']} event")


def _words(value: object) -> str:
    """Text that is nothing but told to somebody; anything else is as good as none."""
    return _whole(value) if type(value) is str else ""


def _whole(text: str) -> str:
    """Text without halves of characters, which no encoding has a form for."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
