"""What has a word in the dialect of a client and in no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import is_
from typing import ClassVar

from ..core.errors import UnsupportedError
from ..core.json_path import path_of
from ..core.messages import OtherPart
from ..core.requests import ChatRequest, OtherTool

#: a part or a tool of a type that this version does not know
Other = OtherPart | OtherTool
#: by dialect, the field with which a client leaves what was said before to the upstream
_HELD = {"anthropic-messages": "thread"}


class ForeignError(UnsupportedError):
    """Something that takes an upstream of the client's own dialect; another provider may be one."""

    fallback: ClassVar[bool] = True


def _nothing(_: Other) -> bool:
    return False


def demand_translatable(
    request: ChatRequest, dialect: str, takes: Callable[[Other], bool] = _nothing
) -> None:
    """Return when all of *request* can be said in *dialect*; ForeignError names what cannot.

    *takes* says what of another dialect has a word there all the same. A request of no dialect was
    written for its upstream by who knows it.
    """
    if request.dialect in {dialect, ""}:
        return
    _demand_whole(request)
    for at, message in enumerate(request.messages):
        if message.extra.get("audio"):
            path = f"messages[{at}].audio"
            raise ForeignError(
                f"$.{path}: only an upstream that speaks {request.dialect} itself knows what was said",
                param=path,
            )
    for place, other in _others(request):
        if not takes(other):
            path = path_of(request.raw, partial(is_, other.raw)) or place
            raise ForeignError(
                f"$.{path}: only an upstream that speaks {request.dialect} itself takes "
                f"{other.type!r}",
                param=path,
            )


def _demand_whole(request: ChatRequest) -> None:
    """Return when the request holds all of its conversation.

    The codes are those by which Anthropic's clients know to send everything, from now on or again.
    """
    field = _HELD.get(request.dialect)
    held = request.own.get(field) if field else None
    if held is None:
        return
    begun = isinstance(held, dict) and held.get("type") == "continue"
    raise ForeignError(
        f"$.{field}: only an upstream that speaks {request.dialect} itself keeps a conversation",
        code="thread_not_found" if begun else "thread_unsupported_request",
        param=field,
    )


def _others(request: ChatRequest) -> Iterator[tuple[str, Other]]:
    """The unknown parts and tools, with their places among ours."""
    for at, message in enumerate(request.messages):
        for inner, part in enumerate(message.parts):
            if isinstance(part, OtherPart):
                yield f"messages[{at}].content[{inner}]", part
    for at, tool in enumerate(request.tools):
        if isinstance(tool, OtherTool):
            yield f"tools[{at}]", tool
