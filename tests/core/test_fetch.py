"""A file of the web as a value."""

from __future__ import annotations

from g4f_aio.core.fetch import Fetched


def test_its_content_is_not_shown_in_logs() -> None:
    found = Fetched("https://a/", "text/plain", b"content", "utf-8")
    assert "content" not in repr(found).replace("content-type", "")
    assert "text/plain" in repr(found)
