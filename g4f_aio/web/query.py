"""What is asked of a search engine."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..core.errors import BadRequestError
from ..core.requests import ChatRequest

#: characters of a query that is made of a message
LONGEST = 256
#: characters of a message that are looked at for one
READ = 2**14
#: shorter secrets are left alone: they would take words out of most queries
SHORTEST = 6
#: what the keys of well-known services begin with
_KEYS = re.compile(
    r"\b(?:sk-|[rp]k_|gh[oprsu]_|github_pat_|glpat-|xox|AIza|AKIA|hf_|gsk_)[\w-]{12,}"
)


def query_of(request: ChatRequest, secrets: Iterable[str]) -> str:
    """The query that the request gives, or else the first paragraph that its user wrote last.

    No more of a conversation than that leaves for the search engine, which keeps it: nothing of it
    is one of *secrets*, or looks like a key. BadRequestError when nothing is left.
    """
    given = request.routing.web_search
    paragraph, _, _ = request.last_user_text.lstrip()[:READ].partition("\n\n")
    query = given if isinstance(given, str) else paragraph
    # the longest first: one may be the beginning of another
    known = sorted((one for one in secrets if len(one) >= SHORTEST), key=len, reverse=True)
    for secret in known:
        query = query.replace(secret, "")
    if known and len(paragraph) == READ and not isinstance(given, str):
        # what is left of one that was cut there
        query = query[: -len(known[0])]
    query = " ".join(_KEYS.sub("", query).split())
    if not query:
        raise BadRequestError(
            "$.web_search: there is no text to search for in the last message of the user; give a"
            " query",
            param="web_search",
        )
    if isinstance(given, str) or len(query) <= LONGEST:
        return query
    return query[:LONGEST].rpartition(" ")[0] or query[:LONGEST]
