"""The field ``web_search`` of chats, an extension of this gateway."""

from __future__ import annotations

from ..core.errors import BadRequestError

#: characters of a query
LONGEST = 400
_WORDS = {"true": True, "false": False, "": False}


def web_search_of(value: bool | str | None) -> bool | str:  # noqa: FBT001  (it is the wire's)
    """The query that is asked for, True for one made of the last message, or False for none.

    Clients that can only send texts write ``"true"`` and ``"false"``. BadRequestError for a query
    that no search engine would take.
    """
    if not isinstance(value, str):
        return bool(value)
    query = " ".join(value.split())
    if query.lower() in _WORDS:
        return _WORDS[query.lower()]
    if len(query) > LONGEST:
        raise BadRequestError(
            f"$.web_search: a query has at most {LONGEST} characters", param="web_search"
        )
    return query
