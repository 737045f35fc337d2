"""The first bytes of files that are no text."""

from __future__ import annotations

#: what a file begins with
_BEGINS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"#!AMR", "audio/amr"),
    (b"MThd", "audio/midi"),
    (b"{\\rtf", "application/rtf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
#: the kinds of RIFF
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
#: the brands of what is built like MP4; others are video
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_OFFICE = "application/vnd.openxmlformats-officedocument."
#: folders in documents that are archives
_FOLDERS = (
    (b"word/", f"{_OFFICE}wordprocessingml.document"),
    (b"xl/", f"{_OFFICE}spreadsheetml.sheet"),
    (b"ppt/", f"{_OFFICE}presentationml.presentation"),
)
#: how far a file is looked at
_LOOK = 4096
#: MPEG audio, layer III; and ADTS, by the bits of their second byte that tell
_MP3, _MP3_MASK = 0xE2, 0xE6
_AAC, _AAC_MASK = 0xF0, 0xF6
_FRAME = 4


def signed(data: bytes) -> str | None:
    """The media type that the first bytes of a file tell; None when they tell none."""
    head = data[:_LOOK]
    for beginning, kind in _BEGINS:
        if head.startswith(beginning):
            return kind
    mark, brand = head[:4], head[8:12]
    if head[4:8] == b"ftyp":
        return _BRANDS.get(brand, "video/mp4")
    match mark:
        case b"RIFF":
            return _RIFF.get(brand)
        case b"OggS":
            return "video/ogg" if b"theora" in head[:128] else "audio/ogg"
        case b"\x1aE\xdf\xa3":
            return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
        case b"PK\x03\x04":
            return _archive(head)
        case _:
            return _bitmap(head) or _sound(head)


def _archive(head: bytes) -> str:
    """A ZIP, or a document that is one."""
    if head[30:38] == b"mimetype":
        # first and not compressed, in EPUB and OpenDocument
        length = int.from_bytes(head[22:26], "little")
        named = head[38 : 38 + length].decode("ascii", "replace")
        if named.startswith("application/") and named.isprintable():
            return named
    if b"[Content_Types].xml" in head or b"_rels/" in head:
        for folder, kind in _FOLDERS:
            if folder in head:
                return kind
    return "application/zip"


def _bitmap(head: bytes) -> str | None:
    """The two letters of a bitmap are too few to go by; what is reserved there must be zero."""
    return "image/bmp" if head[:2] == b"BM" and head[6:10] == bytes(4) else None


def _sound(head: bytes) -> str | None:
    """The beginning of a frame of sound without any header before it."""
    if len(head) < _FRAME or head[0] != 0xFF:  # noqa: PLR2004  (eleven or twelve bits are set)
        return None
    if head[1] & _AAC_MASK == _AAC:
        return "audio/aac"
    return "audio/mpeg" if head[1] & _MP3_MASK == _MP3 else None
