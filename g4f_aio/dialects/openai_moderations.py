"""OpenAI's moderations, towards clients and towards upstreams.

https://platform.openai.com/docs/api-reference/moderations
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from ..core.operations import ModerationRequest
from .json_text import dumps
from .openai_chat_decoder import load_chunk, malformed
from .openai_extensions import Extended, converter, routing_of, without_extensions
from .openai_face import OpenAIFace
from .structure import load_object, register, structured, wrong_type

#: a text, several, or parts of a message
Input = str | list[str | dict[str, Any]]


@attrs.frozen(kw_only=True)
class ModerationsBody(Extended):
    """The fields of a request that have a type here; others may be anything."""

    input: Input


class OpenAIModerations(OpenAIFace[ModerationRequest]):
    """``POST /v1/moderations`` towards clients."""

    name: ClassVar[str] = ModerationRequest.dialect

    def decode_request(self, body: bytes) -> ModerationRequest:
        """A client's request; BadRequestError names each field at fault by its JSON path."""
        raw = load_object(body)
        wire = structured(raw, ModerationsBody, _EXACT)
        return ModerationRequest(
            model=wire.model or "", routing=routing_of(wire), raw=without_extensions(raw)
        )


OPENAI_MODERATIONS = OpenAIModerations()


def decode_answer(data: bytes, provider: str) -> bytes:
    """An upstream's answer as this API writes it; its error, or UpstreamError when it is none.

    Mistral does not say whether a text is *flagged*: it is where one of its categories applies.
    """
    answer = load_chunk(data, provider)
    results = answer.get("results")
    if type(results) is not list or not all(type(one) is dict for one in results):
        raise malformed(provider, data)
    if all("flagged" in one for one in results):
        return data
    for one in results:
        found = one.get("categories")
        one.setdefault("flagged", type(found) is dict and any(found.values()))
    return dumps(answer)


def _input(value: Any, _: Any) -> Any:
    if type(value) is str:
        return value
    if type(value) is list:
        return _EXACT.structure(value, list[str | dict[str, Any]])
    raise wrong_type("a string, or an array of strings or parts", value)


def _item(value: Any, _: Any) -> Any:
    if type(value) is str or type(value) is dict:
        return value
    raise wrong_type("a string or an object", value)


_EXACT = converter()
register(_EXACT, Input, _input)
register(_EXACT, str | dict[str, Any], _item)
