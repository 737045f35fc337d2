"""Files of the web as parts of a message."""

from __future__ import annotations

import base64

import pytest

from g4f_aio import AudioPart, FilePart, ImagePart, OtherPart, Part, TextPart
from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.fetch import Fetched
from g4f_aio.gateway.media import Sent, url_of, with_content

URL = "https://example.org/files/a%20b.pdf?c"


def sent(kind: str, data: bytes = b"x", charset: str | None = None) -> Sent:
    """What was fetched."""
    return Sent.of(Fetched(URL, kind, data, charset))


@pytest.mark.parametrize(
    ("part", "url"),
    [
        (ImagePart(URL), URL),
        (ImagePart("HTTP://example.org"), "HTTP://example.org"),
        (FilePart(URL), URL),
        (AudioPart(URL, "mp3"), URL),
        (ImagePart("data:image/png;base64,AA=="), None),
        (ImagePart("gs://bucket/a.png"), None),
        (AudioPart("AAAA", "mp3"), None),
        (FilePart(id="https://example.org"), None),
        (TextPart(URL), None),
        (OtherPart("video_url", {"video_url": {"url": URL}}), None),
    ],
)
def test_what_is_only_there_by_url_is_told_from_content(part: Part, url: str | None) -> None:
    assert url_of(part) == url


@pytest.mark.parametrize(
    ("part", "kind", "whole"),
    [
        (ImagePart(URL, "low"), "image/png", ImagePart("data:image/png;base64,eA==", "low")),
        (AudioPart(URL, "wav"), "audio/mpeg", AudioPart("eA==", "mp3")),
        (AudioPart(URL, ""), "video/webm", AudioPart("eA==", "webm")),
        (
            FilePart(URL),
            "application/pdf",
            FilePart("data:application/pdf;base64,eA==", filename="a b.pdf"),
        ),
        (
            FilePart(URL, filename="c.csv"),
            "text/csv",
            FilePart("data:text/csv;base64,eA==", filename="c.csv"),
        ),
    ],
)
def test_a_part_has_the_content_and_its_real_type(part: Part, kind: str, whole: Part) -> None:
    assert with_content(part, URL, sent(kind)) == whole


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (ImagePart(URL), "text/html"),
        (ImagePart(URL), "application/pdf"),
        (ImagePart(URL), "image/svg+xml"),
        (AudioPart(URL, "mp3"), "text/html"),
        (AudioPart(URL, "mp3"), "image/png"),
        (FilePart(URL), "text/html"),
    ],
)
def test_what_is_something_else_is_refused(part: Part, kind: str) -> None:
    with pytest.raises(BadRequestError, match=f"is {kind.replace('+', '.')} and not a") as caught:
        with_content(part, URL, sent(kind))
    assert (caught.value.status, caught.value.code) == (400, "invalid_media_type")


def test_text_is_sent_in_unicode() -> None:
    found = sent("text/plain", "Grüße".encode("latin-1"), "cp1252")
    assert base64.b64decode(found.content).decode() == "Grüße"
    assert base64.b64decode(sent("text/plain", b"a", "utf-8").content) == b"a"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/", None),
        ("https://example.org", None),
        ("https://example.org/a%0D%0Ab.txt", None),
        (f"https://example.org/{'a' * 300}", None),
        ("https://[::1/a.txt", None),
        ("https://example.org/b/%2e%2e%2fa.txt", "../a.txt"),
    ],
)
def test_a_name_of_a_file_is_only_told_when_it_is_one(url: str, name: str | None) -> None:
    assert with_content(FilePart(url), url, sent("text/plain")) == FilePart(
        "data:text/plain;base64,eA==", filename=name
    )
