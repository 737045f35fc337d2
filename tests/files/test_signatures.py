"""The first bytes of files that are no text."""

from __future__ import annotations

import io
import zipfile

import pytest

from g4f_aio.files.signatures import signed


def archive(*names: str, first: bytes | None = None) -> bytes:
    """A ZIP with these members; *first* is that of a document that says what it is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        if first is not None:
            file.writestr("mimetype", first)
        for name in names:
            file.writestr(name, b"x")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00", "image/bmp"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"OggS\x00\x02" + bytes(20) + b"OpusHead", "audio/ogg"),
        (b"OggS\x00\x02" + bytes(20) + b"\x80theora", "video/ogg"),
        (b"\x1aE\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1fB\x82\x84webm", "video/webm"),
        (b"fLaC\x00\x00\x00\x22", "audio/flac"),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf3\x40\xc4", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"%PDF-1.7\n", "application/pdf"),
        (archive("a.txt"), "application/zip"),
        (
            archive("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (archive(first=b"application/epub+zip"), "application/epub+zip"),
        (archive(first=b"text/html\r\nX: 1"), "application/zip"),
    ],
)
def test_a_file_is_known_by_its_first_bytes(data: bytes, kind: str) -> None:
    assert signed(data) == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"BMW is a make of car",
        b"RIFF raff and others",
        b"<html>",
        b"Hello",
        b"MZ\x90",
    ],
)
def test_others_are_not(data: bytes) -> None:
    assert signed(data) is None
