"""What kind of file something is."""

from __future__ import annotations

import encodings

import pytest

from g4f_aio.files.sniff import media_type

HTML = b"<!DOCTYPE html><html><head><title>Hello</title></head></html>"


def test_a_header_makes_no_image_of_a_page() -> None:
    assert media_type(HTML, "image/png") == ("text/html", "utf-8")
    assert media_type(b"\x89PNG\r\n\x1a\n", "text/html") == ("image/png", None)


@pytest.mark.parametrize(
    ("data", "declared", "kind"),
    [
        (b"a,b\n1,2\n", "text/csv; charset=utf-8", "text/csv"),
        (b'{"a": 1}', "application/json", "application/json"),
        (b'{"a": 1}', "application/ld+json", "application/ld+json"),
        (b"Hello", "application/octet-stream", "text/plain"),
        (b"Hello", "text/plain", "text/plain"),
        (b"Hello", None, "text/plain"),
        (b"Hello", "text/html", "text/html"),
        (HTML, "text/plain", "text/html"),
        (b"\n <!-- a --> <!-- b -->\n<html>", None, "text/html"),
        (b'<?xml version="1.0"?><!-- a --><html xmlns="">', None, "text/html"),
        (b'<?xml version="1.0"?><feed>', None, "text/xml"),
        (b'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x"><svg>', "image/png", "image/svg+xml"),
        (b"<svg onload=alert(1)>", "text/plain", "image/svg+xml"),
        (b"\x00\x01\x02", "text/plain", "application/octet-stream"),
        (b"\x00\x01\x02", "text/evil\r\nX: 1", "application/octet-stream"),
        (b"Hello", "text/evil\r\nX: 1", "text/plain"),
        (b"", None, "text/plain"),
    ],
)
def test_text_is_of_the_kind_that_its_header_says(
    data: bytes, declared: str | None, kind: str
) -> None:
    assert media_type(data, declared)[0] == kind


@pytest.mark.parametrize(
    ("data", "declared", "charset"),
    [
        ("Grüße".encode(), "text/plain", "utf-8"),
        ("Grüße".encode("latin-1"), "text/plain; charset=ISO-8859-1", "cp1252"),
        ("Grüße".encode("latin-1"), "text/plain", "cp1252"),
        ("Grüße".encode("latin-1"), "text/html; charset=nonsense", "cp1252"),
        ("日本".encode("shift_jis"), 'text/plain; Charset="Shift_JIS"', "shift_jis"),
        (b'<html><meta charset="koi8-r">', "text/html", "koi8-r"),
        (b'<?xml version="1.0" encoding="iso-8859-2"?><a>', None, "iso8859-2"),
        (
            '<META content="text/html; charset=Shift_JIS">日本'.encode("shift_jis"),
            None,
            "shift_jis",
        ),
        ("привіт".encode("koi8-u"), "text/plain; charset=koi8-u", "koi8-u"),
        (b"aGk=", "text/plain; charset=base64", "utf-8"),
        (b"a-b", "text/plain; charset=punycode", "utf-8"),
        (b"+AGE-", "text/plain; charset=utf-7", "utf-8"),
        (b"a", "text/plain; charset=undefined", "utf-8"),
        ("hi".encode("utf-8-sig"), "text/plain; charset=koi8-r", "utf-8-sig"),
        ("hi".encode("utf-16"), None, "utf-16"),
        ("hi".encode("utf-32"), None, "utf-32"),
        (b"a" * 4095 + "ü".encode(), None, "utf-8"),
        ("Grüße".encode("latin-1"), None, None),
    ],
)
def test_the_charset_of_text_is_found(
    data: bytes, declared: str | None, charset: str | None
) -> None:
    assert media_type(data, declared)[1] == charset


def test_what_is_no_charset_is_not_kept_in_mind() -> None:
    """Python would keep each name for ever."""
    before = len(encodings._cache)
    assert media_type(b"Hello", "text/plain; charset=never-heard-of") == ("text/plain", "utf-8")
    assert len(encodings._cache) == before


def test_a_page_of_comments_takes_no_longer_than_others() -> None:
    """It would, for ever, if each combination of them were tried."""
    assert media_type(b"<!---->" * 1000, "text/plain")[0] == "text/plain"
    assert media_type(b"<!--" * 1000, "text/plain")[0] == "text/plain"


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        (b"<meta " * 100 + b" charset=" + b" " * 3400 + b"!", "text/html"),
        (b"<meta charset= " * 300, "text/html"),
        (b"<?xml encoding=" + b" " * 4000, "text/html"),
        (b"Hello", "text/html; charset=" + " " * 100_000 + "!"),
    ],
)
def test_nor_does_one_that_never_says_its_charset(data: bytes, declared: str) -> None:
    """Each way to read its spaces would be tried, at each place."""
    assert media_type(data, declared)[1] == "utf-8"
