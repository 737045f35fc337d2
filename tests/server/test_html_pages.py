"""HTML pages: whole, readable, and with nothing in them that could do anything."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

import g4f_aio
from g4f_aio.server.html_pages import api_page, text_page
from g4f_aio.server.openapi import openapi_document

FOLDER = Path(g4f_aio.__file__).parent / "docs"
PAGES = {"index": "Introduction", "api": "API"}
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Reader(HTMLParser):
    """Reads a page; AssertionError when its tags do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def values(self, name: str) -> list[str]:
        """The values of an attribute."""
        return [value for _, found, value in self.attributes if found == name]


def api() -> Reader:
    return Reader(api_page(openapi_document(), PAGES))


ALL = [pytest.param(page, id=page.stem) for page in sorted(FOLDER.glob("*.md"))]


def check_harmless(page: Reader) -> None:
    """Nothing that runs or that is fetched from anywhere."""
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert not page.values("src")


@pytest.mark.parametrize("file", ALL)
def test_the_documentation_is_shown_whole(file: Path) -> None:
    page = Reader(text_page(file.read_text("utf-8"), file.stem, {file.stem: "T", **PAGES}))
    check_harmless(page)
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("## "):
            assert line.removeprefix("## ").replace("`", "") in page.text
    assert ("table" in page.tags) is ("| ---" in file.read_text("utf-8"))


@pytest.mark.parametrize("file", ALL)
def test_links_between_the_files_lead_to_pages(file: Path) -> None:
    page = Reader(text_page(file.read_text("utf-8"), file.stem, {file.stem: "T", **PAGES}))
    for target in page.values("href"):
        assert ".md" not in target
        assert target.startswith(("/docs", "https://", "#")), target
        name, _, anchor = target.removeprefix("/docs").strip("/").partition("#")
        if target.startswith("#"):
            assert anchor in page.values("id"), target
        elif name and not target.startswith("https://"):
            there = (FOLDER / f"{name}.md").read_text("utf-8")
            ids = Reader(text_page(there, name, {name: "T"})).values("id")
            assert not anchor or anchor in ids, target


def test_headings_can_be_linked_to() -> None:
    page = Reader(text_page("# A: `b` & c\n\n## Ärger 2", "api", PAGES))
    assert page.values("id") == ["a-b--c", "ärger-2"]


def test_html_in_the_source_shows_up_as_text() -> None:
    source = "<script>alert(1)</script>\n\n<b onclick='x'>y</b> [a](javascript:alert(1)) `<i>`"
    page = Reader(text_page(source, "api", PAGES))
    check_harmless(page)
    assert "<script>alert(1)</script>" in page.text
    assert not page.tags & {"b", "i"}
    assert not [target for target in page.values("href") if "javascript" in target]


def test_the_page_one_is_on_is_marked() -> None:
    page = text_page("# A", "api", PAGES)
    assert '<a href="/docs/api" aria-current="page">API</a>' in page
    assert page.count("aria-current") == 1
    assert "<title>API - g4f_aio</title>" in page
    assert '<a href="/docs" aria-current="page">' in api_page(openapi_document(), PAGES)


def test_the_api_is_shown_whole() -> None:
    document = openapi_document()
    page = api()
    check_harmless(page)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path}" in page.text
            assert operation["summary"] in page.text
            for parameter in operation["parameters"]:
                assert parameter.get("description", "").replace("`", "") in page.text
    for name, schema in document["components"]["schemas"].items():
        assert name in page.values("id")
        for field in schema.get("properties", ()):
            assert field in page.text
    for kind in ("headers", "securitySchemes"):
        assert all(name in page.text for name in document["components"][kind])
    at = "http://127.0.0.1:1337"
    assert f"curl {at}/v1/chat/completions" in page.text
    assert f"curl -X DELETE {at}/v1/conversations/{{conversation_id}}" in page.text
    assert f"curl -X POST {at}/v1/responses/{{response_id}}/cancel" in page.text
    assert '"object": "chat.completion"' in page.text


def test_what_the_api_page_links_to_is_there() -> None:
    page = api()
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    for target in page.values("href"):
        if target.startswith("#"):
            assert target.removeprefix("#") in ids
        else:
            assert target in ("/docs", "/openapi.json", *(f"/docs/{name}" for name in PAGES))


def test_every_kind_of_type_is_put_in_words() -> None:
    """Those the document has, and one that says nothing."""
    document = openapi_document()
    document["components"]["schemas"]["Odd"] = {"properties": {"any": {}}}
    assert "anything" in Reader(api_page(document, PAGES)).text
    text = api().text
    assert (
        "string or array of (Text or Refusal or Image or Audio or File or object) or null" in text
    )
    assert "array of string" in text
    assert "integer or null" in text
