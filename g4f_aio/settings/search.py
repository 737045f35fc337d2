"""Settings of web search."""

from __future__ import annotations

import attrs

from . import checks
from .setting import setting


@attrs.frozen
class SearchSettings:
    """[search]: the web, for requests that ask for it with their field web_search."""

    engine: str = setting(
        "",
        "who searches: searxng, ddgs, or off; empty: searxng if its URL is set, else ddgs if installed",
        flag="--search-engine",
        env="G4F_SEARCH_ENGINE",
        check=checks.search_engine,
    )
    searxng: str | None = setting(
        None, "URL of a SearXNG instance whose settings allow JSON", check=checks.collector
    )
    results: int = setting(
        5,
        "pages that are read for one search",
        flag="--search-results",
        env="G4F_SEARCH_RESULTS",
        check=checks.count,
    )
    length: int = setting(
        12_000,
        "characters of all these pages that a model gets",
        flag="--search-length",
        env="G4F_SEARCH_LENGTH",
        check=checks.count,
    )
    time_limit: float = setting(
        10.0,
        "seconds for a search, and again for its pages",
        flag="--search-time-limit",
        env="G4F_SEARCH_TIME_LIMIT",
        check=checks.seconds,
    )
