"""An answer of Gemini, streamed or whole, into events.

https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, Literal

import attrs

from ..core.errors import UpstreamError
from ..core.events import (
    Citation,
    Citations,
    Event,
    Finish,
    FinishReason,
    Logprobs,
    Media,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    Usage,
)
from . import json_text, sse
from .gemini_errors import in_answer
from .gemini_thinking import Signatures
from .openai_chat_decoder import cut, malformed

Json = dict[str, Any]

#: how an answer ends; for any other reason it was given up
_FINISHES: dict[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            "SAFETY",
            "RECITATION",
            "LANGUAGE",
            "BLOCKLIST",
            "PROHIBITED_CONTENT",
            "SPII",
            "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "ESCALATION",
            "MODEL_ARMOR",
        ),
        "content_filter",
    ),
}
_UNFINISHED = (None, "", "FINISH_REASON_UNSPECIFIED")
_KINDS: dict[str, Literal["image", "audio", "video"]] = {
    "image": "image",
    "audio": "audio",
    "video": "video",
}


@attrs.define
class _Candidate:
    """What is known of one answer."""

    finished: bool = False
    calls: list[str] = attrs.field(factory=list)


class GeminiDecoder:
    """Chunks of one request's answer into events.

    *single*: only the first call of a tool counts. *credential*: what no error may quote.
    """

    def __init__(
        self,
        provider: str,
        signatures: Signatures,
        *,
        single: bool = False,
        credential: str | None = None,
    ) -> None:
        self._provider = provider
        self._signatures = signatures
        self._single = single
        self._credential = credential
        self._candidates: dict[int, _Candidate] = {}
        self._cited: set[str] = set()
        self._usage: Usage | None = None
        self._joiner = json_text.Joiner()

    @property
    def done(self) -> bool:
        """Never: a stream of this format just ends."""
        return False

    def feed(self, frames: bytes) -> Iterator[Event]:
        """The events in whole frames."""
        for _, data in sse.split(frames):
            if data:
                yield from self._chunk(data)

    def close(self) -> Iterator[Event]:
        """The usage, of which the last count is the right one."""
        if not self._candidates or not all(c.finished for c in self._candidates.values()):
            raise cut(self._provider)
        if self._usage is not None:
            yield self._usage

    def body(self, data: bytes) -> Iterator[Event]:
        """The events of a whole answer; also of all chunks of a stream, in one array."""
        yield from self._chunk(data)
        yield from self.close()

    def _chunk(self, data: bytes) -> Iterator[Event]:
        try:
            value = json_text.loads(data)
        except ValueError:
            raise malformed(self._provider, data) from None
        for chunk in value if type(value) is list else [value]:
            if type(chunk) is not dict:
                raise malformed(self._provider, data)
            if problem := chunk.get("error"):
                raise in_answer(problem, provider=self._provider, credential=self._credential)
            candidates = chunk.get("candidates") or []
            if type(candidates) is not list or not all(type(c) is dict for c in candidates):
                raise malformed(self._provider, data)
            for position, candidate in enumerate(candidates):
                index = candidate.get("index")
                yield from self._candidate(candidate, index if type(index) is int else position)
            if not candidates and _object(chunk.get("promptFeedback")).get("blockReason"):
                yield from self._blocked()
            self._usage = _usage(chunk.get("usageMetadata")) or self._usage

    def _blocked(self) -> Iterator[Event]:
        """The end of an answer that was not even begun."""
        if not self._candidates:
            self._candidates[0] = _Candidate(finished=True)
            yield Finish("content_filter")

    def _candidate(self, raw: Json, index: int) -> Iterator[Event]:
        candidate = self._candidates.setdefault(index, _Candidate())
        for part in _objects(_object(raw.get("content")).get("parts")):
            event = self._part(part, candidate, index)
            if event is not None:
                yield event
        if logprobs := _logprobs(raw.get("logprobsResult")):
            yield Logprobs(logprobs, index)
        if links := tuple(self._new(_links(raw))):
            yield Citations(links)
        reason = raw.get("finishReason")
        if reason not in _UNFINISHED and not candidate.finished:
            candidate.finished = True
            yield Finish(self._finish(raw, bool(candidate.calls)), index)

    def _new(self, links: Iterator[Citation]) -> Iterator[Citation]:
        """Those that were not told before."""
        for link in links:
            if link.url not in self._cited:
                self._cited.add(link.url)
                yield link

    def _finish(self, raw: Json, called: bool) -> FinishReason:  # noqa: FBT001  (a fact, no switch)
        reason = str(raw["finishReason"])
        finish = _FINISHES.get(reason)
        if finish is None:
            why = raw.get("finishMessage")
            said = f"{reason}: {why}" if isinstance(why, str) and why else reason
            raise UpstreamError(
                f"{self._provider} gave its answer up: {said}", provider=self._provider
            )
        return "tool_calls" if called and finish == "stop" else finish

    def _part(self, part: Json, candidate: _Candidate, index: int) -> Event | None:
        match part:
            case {"text": str(text), "thought": True}:
                text = self._joiner.feed(text, (index, "thought"))
                return ReasoningDelta(text, index) if text else None
            case {"text": str(text)}:
                text = self._joiner.feed(text, (index, "text"))
                return TextDelta(text, index) if text else None
            case {"functionCall": dict(call)}:
                return self._call(call, part.get("thoughtSignature"), candidate, index)
            case {"thought": True}:
                return None  # a sketch of an image that it thinks about
            case {"inlineData": {"mimeType": str(mime), "data": str(data)}}:
                return _media(mime, f"data:{mime};base64,{data}")
            case {"fileData": {"mimeType": str(mime), "fileUri": str(uri)}}:
                return _media(mime, uri)
            case _:
                return None

    def _call(
        self, call: Json, signature: object, candidate: _Candidate, index: int
    ) -> ToolCallDelta | None:
        """A call, which always comes whole."""
        if self._single and candidate.calls:
            return None
        name, id_ = str(call.get("name") or ""), call.get("id")
        taken = {known for one in self._candidates.values() for known in one.calls}
        if not isinstance(id_, str) or not id_ or id_ in taken:
            id_ = f"call_{secrets.token_urlsafe(18)}"
        if isinstance(signature, str) and signature:
            self._signatures.keep(id_, name, signature)
        candidate.calls.append(id_)
        arguments = json_text.dumps(call.get("args") or {}).decode()
        return ToolCallDelta(len(candidate.calls) - 1, id_, name, arguments, index)


def _usage(raw: Any) -> Usage | None:
    """Tokens: those of thoughts are part of the output, those of a tool's results of the input."""
    if type(raw) is not dict or not raw:
        return None

    def count(name: str) -> int:
        value = raw.get(name)
        return value if type(value) is int else 0

    thoughts = count("thoughtsTokenCount")
    return Usage(
        input=count("promptTokenCount") + count("toolUsePromptTokenCount"),
        output=count("candidatesTokenCount") + thoughts,
        cached=count("cachedContentTokenCount"),
        reasoning=thoughts,
        raw=raw,
    )


def _logprobs(raw: Any) -> Json | None:
    """Log probabilities in OpenAI's form."""
    result = _object(raw)
    chosen = _objects(result.get("chosenCandidates"))
    if not chosen:
        return None
    tops = [_objects(top.get("candidates")) for top in _objects(result.get("topCandidates"))]
    tops += [[]] * (len(chosen) - len(tops))
    content = [
        {**_token(token), "top_logprobs": [_token(one) for one in top]}
        for token, top in zip(chosen, tops, strict=False)
    ]
    return {"content": content, "refusal": None}


def _token(raw: Json) -> Json:
    token = str(raw.get("token") or "")
    # one that is certain is not written
    return {
        "token": token,
        "logprob": raw.get("logProbability") or 0.0,
        "bytes": list(token.encode("utf-8", "replace")),
    }


def _links(raw: Json) -> Iterator[Citation]:
    """The sources of a candidate: what it searched, what it read, what it quotes."""
    for chunk in _objects(_object(raw.get("groundingMetadata")).get("groundingChunks")):
        for source in chunk.values():
            yield from _link(_object(source))
    for read in _objects(_object(raw.get("urlContextMetadata")).get("urlMetadata")):
        yield from _link({"uri": read.get("retrievedUrl")})
    quoted = _object(raw.get("citationMetadata"))
    for citation in _objects(quoted.get("citationSources") or quoted.get("citations")):
        yield from _link(citation)


def _link(source: Json) -> Iterator[Citation]:
    uri, title = source.get("uri"), source.get("title")
    if isinstance(uri, str) and uri:
        yield Citation(uri, title if isinstance(title, str) else "")


def _media(mime: str, url: str) -> Media | None:
    kind = _KINDS.get(mime.partition("/")[0])
    return Media(kind, url, mime) if kind else None


def _objects(value: Any) -> list[Json]:
    return [item for item in value if type(item) is dict] if type(value) is list else []


def _object(value: Any) -> Json:
    return value if type(value) is dict else {}
