"""HTML: pages of Markdown, and the page that shows an OpenAPI document."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_CURRENT = ' aria-current="page"'
_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --link: light-dark(#0550ae, #79b8ff) }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0 }
a { color: var(--link) }
pre, code { font: .9em ui-monospace, monospace; background: var(--soft); border-radius: 4px }
code { padding: .1em .3em } pre { padding: .75rem; overflow-x: auto } pre code { padding: 0; background: none }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line) }
section { border-top: 1px solid var(--line); margin-top: 1.5rem } summary { cursor: pointer; font-weight: 600 }
h3 code { overflow-wrap: anywhere }
"""


def text_page(text: str, name: str, pages: Mapping[str, str]) -> str:
    """The page *name* of the documentation from its Markdown; HTML in it shows up as text."""
    markdown = _markdown()
    tokens = markdown.parse(text)
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _slug(tokens[at + 1].content))
        for child in token.children or ():
            _relink(child)
    body = markdown.renderer.render(tokens, markdown.options, {})
    return _page(pages[name], body, pages, name)


def api_page(document: Mapping[str, Any], pages: Mapping[str, str]) -> str:
    """The page that shows an OpenAPI *document*, and links to the other *pages*."""
    info = document["info"]
    parts = document["components"]
    schemes = [
        (f"<code>{escape(name)}</code>", _prose(scheme["description"]))
        for name, scheme in parts["securitySchemes"].items()
    ]
    body = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        *(f"<p>{_prose(text)}</p>" for text in info["description"].split("\n\n")),
        f'<p>For programs: <a href="/openapi.json">OpenAPI {escape(document["openapi"])}</a>.</p>',
        '<h2 id="routes">Routes</h2>',
        *(
            _operation(method, path, operation)
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        ),
        '<h2 id="keys">Keys</h2>',
        _table(("way", "about"), schemes),
        '<h2 id="headers">Headers</h2>',
        "<p>Of requests:</p>",
        _headers(parts["parameters"]),
        "<p>Of answers:</p>",
        _headers(parts["headers"]),
        '<h2 id="errors">Errors</h2>',
        "<p>Every error has the same shape:</p>",
        _fields(parts["schemas"]["ErrorObject"]),
        _table(("status", "when", "headers"), _errors(document, parts)),
        '<h2 id="objects">Objects</h2>',
        *(_schema(name, schema) for name, schema in parts["schemas"].items()),
    ]
    return _page("The API", "\n".join(body), pages, "")


def _page(title: str, body: str, pages: Mapping[str, str], here: str) -> str:
    links = {"": "Routes and objects", **pages}
    items = "".join(
        f'<li><a href="/docs{"/" if name else ""}{name}"{_CURRENT if name == here else ""}>'
        f"{escape(text)}</a></li>"
        for name, text in links.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - g4f_aio</title><style>{_STYLE}</style></head>\n"
        f'<body><nav aria-label="Documentation"><ul>{items}</ul></nav>\n'
        f"<main>\n{body}\n</main></body></html>\n"
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """What there is to know about one route."""
    name = operation["operationId"]
    key = "" if operation["security"] else " Needs no key."
    about = [
        (
            f"<code>{escape(one['name'])}</code> in the {one['in']}",
            _type(one["schema"]),
            _prose(one["description"]),
        )
        for one in operation["parameters"]
        if "$ref" not in one  # those are everybody's
    ]
    example = None
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        example = content["example"]
        about.append(
            ("body (required)", _type(content["schema"]), "As <code>application/json</code>.")
        )
    answer = operation["responses"]["200"]
    about += [
        (
            "answer",
            _type(content["schema"]),
            f"As <code>{kind}</code>. {_prose(content['schema'].get('description', ''))}",
        )
        for kind, content in answer["content"].items()
    ]
    errors = ", ".join(
        f'<a href="#errors">{status}</a>' for status in operation["responses"] if status != "200"
    )
    return (
        f'<section id="{name}"><h3><code>{method.upper()} {escape(path)}</code></h3>\n'
        f"<p>{escape(operation['summary'])}.{key}</p>\n"
        f"{_table(('what', 'type', 'about'), about)}\n"
        f"<pre><code>{escape(_curl(method, path, example))}</code></pre>\n"
        f"<p>Errors: {errors}</p></section>"
    )


def _curl(method: str, path: str, body: object) -> str:
    """How to call a route from a shell."""
    # with a body curl posts by itself, and without one it gets
    flag = "" if method == ("get" if body is None else "post") else f"-X {method.upper()} "
    words = [f"curl {flag}http://127.0.0.1:1337{path}"]
    if body is not None:
        words += ["-H 'content-type: application/json'", f"-d '{orjson.dumps(body).decode()}'"]
    return " \\\n  ".join(words)


def _headers(headers: Mapping[str, Any]) -> str:
    rows = [
        (f"<code>{name}</code>", _type(header["schema"]), _prose(header["description"]))
        for name, header in headers.items()
    ]
    return _table(("header", "type", "about"), rows)


def _errors(
    document: Mapping[str, Any], parts: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Every error that a route may answer with."""
    found = {
        status: _resolve(response, parts)
        for operations in document["paths"].values()
        for operation in operations.values()
        for status, response in operation["responses"].items()
        if status != "200"
    }
    for status, response in sorted(found.items()):
        headers = ", ".join(f"<code>{name}</code>" for name in response["headers"])
        yield status, _prose(response["description"]), headers


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    about = _prose(schema.get("description", ""))
    examples = "".join(
        f"<pre><code>{escape(orjson.dumps(one, option=orjson.OPT_INDENT_2).decode())}</code></pre>"
        for one in schema.get("examples", ())
    )
    return (
        f'<section id="{name}"><h3><code>{name}</code></h3><p>{about}</p>'
        f"{_fields(schema) if 'properties' in schema else ''}{examples}</section>"
    )


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(name)}</code>{' (required)' if name in required else ''}",
            _type(field),
            _prose(field.get("description", "")),
        )
        for name, field in schema["properties"].items()
    ]
    return _table(("field", "type", "about"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    match schema:
        case {"$ref": target}:
            name = target.rpartition("/")[2]
            return f'<a href="#{name}">{name}</a>'
        case {"anyOf": schemas}:
            return " or ".join(map(_type, schemas))
        case {"const": value}:
            return f"<code>{escape(str(value))}</code>"
        case {"enum": values}:
            return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
        case {"type": "array", "items": {"anyOf": schemas}}:
            return f"array of ({' or '.join(map(_type, schemas))})"
        case {"type": "array", "items": items}:
            return f"array of {_type(items)}"
        case {"type": list(kinds)}:
            return " or ".join(kinds)
        case {"type": kind}:
            return str(kind)
        case _:
            return "anything"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already."""
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _resolve(reference: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference into the components stands for."""
    kind, name = reference["$ref"].rsplit("/", 2)[1:]
    found: Mapping[str, Any] = parts[kind][name]
    return found


def _prose(text: str) -> str:
    """Plain text with `code` in it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _markdown() -> MarkdownIt:
    """A reader of Markdown with tables and without HTML."""
    # not imported at the top: it takes longer than all of the server, and is seldom wanted
    make: type[MarkdownIt] = pkgutil.resolve_name("markdown_it:MarkdownIt")
    return make("commonmark", {"html": False}).enable("table")


def _slug(heading: str) -> str:
    """The anchor of a heading, as other readers of these files make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _relink(token: Token) -> None:
    """Links between the files become links between the pages."""
    if token.type != "link_open":
        return
    name, mark, anchor = str(token.attrGet("href") or "").partition("#")
    if name.endswith(".md"):
        token.attrSet("href", f"/docs/{name.removesuffix('.md')}{mark}{anchor}")
