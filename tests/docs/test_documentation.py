"""What the documentation shows must be so: its blocks are tried, its tables compared with the code."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import pytest
from yarl import URL

from g4f_aio.core.errors import GatewayError
from g4f_aio.core.provider import Provider
from g4f_aio.providers.assistant.documents import package_documents
from g4f_aio.providers.local_servers import LOCAL_SERVERS
from g4f_aio.server.routes import table as routes
from g4f_aio.settings import UpstreamSettings, load, options

ROOT = Path(__file__).parents[2]
PAGES = {Path(document.name).name: document.text for document in package_documents()}
#: every page for people, wherever it is
FILES = sorted(
    file
    for pattern in ("*.md", "g4f_aio/docs/*.md", "plugins/*/*.md", "tests/*/*.md")
    for file in ROOT.glob(pattern)
)
_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    """The code blocks in *language*: page and text."""
    return [
        (
            str(file.relative_to(ROOT)).removeprefix("g4f_aio/docs/"),
            "\n".join(line.removeprefix(indent) for line in body.splitlines()) + "\n",
        )
        for file in FILES
        for indent, found, body in _BLOCK.findall(file.read_text("utf-8"))
        if found == language
    ]


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = PAGES[page].partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    assert len(lines) > 2, f"no table under {heading!r}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def anchors(text: str) -> set[str]:
    """Those of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", _BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_to_files_and_headings_that_there_are(file: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", file.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = file.parent / name if name else file
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text("utf-8")), target
        # a page is also shown by the server, which knows the other pages alone
        assert file.name not in PAGES or not name or name in PAGES, target


@pytest.mark.parametrize(("page", "body"), blocks("toml"))
def test_settings_are_valid(page: str, body: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    if "[project" in body:
        assert tomllib.loads(body)["project"]["entry-points"]["g4f.providers"], page
        return
    for name in re.findall(r'file = "([^"]+)"', body):
        (tmp_path / Path(name).name).write_text("key")
        body = body.replace(name, Path(name).name)
    file.write_text(body)
    variables = dict.fromkeys(re.findall(r'env = "(\w+)"', body), "key")
    settings = load({"config": str(file), "data_dir": str(tmp_path)}, variables)
    assert settings.warnings == ()


@pytest.mark.parametrize(("page", "body"), blocks("python"))
def test_programs_are_python(page: str, body: str) -> None:
    assert ast.parse(body, page).body


@pytest.mark.parametrize(("page", "body"), [*blocks("sh"), *blocks("json")])
def test_json_is_json(page: str, body: str) -> None:
    for text in re.findall(r"'(\{.*?\})'", body, re.DOTALL):
        assert json.loads(text), page


def test_the_flags_named_are_flags_there_are() -> None:
    known = {option.flag for option in options()} | {"--config", "--data-dir", "--help"}
    known |= {f"--no-{option.flag[2:]}" for option in options() if option.type is bool}
    named = {
        flag for text in PAGES.values() for flag in re.findall(r"(?<![\w-])--[a-z][\w-]+", text)
    }
    # of the command ``models``, of curl-like programs and of systemctl
    assert named - known == {"--now", "--explain"}


def test_the_hosted_providers_are_those_with_a_required_key() -> None:
    listed = {
        code(row[0])[0]: code(row[1])[0]
        for row in rows("providers.md", "Hosted APIs and their keys")
    }
    classes: dict[str, type[Provider]] = {
        point.name: point.load()
        for point in entry_points(group="g4f.providers")
        if point.dist is not None and point.dist.name == "g4f_aio"
    }
    hosted = [name for name, cls in classes.items() if cls.key == "required"]
    assert listed == {name: f"{name.upper()}_API_KEY" for name in hosted}


def test_the_local_servers_are_those_that_are_looked_for() -> None:
    heading = "Local servers: Ollama, llama-server, LM Studio, vLLM, LocalAI"
    listed = {(code(name)[0], port) for _, port, name in rows("providers.md", heading)}
    assert listed == {(cls.name, str(URL(cls().base_url).port)) for cls in LOCAL_SERVERS}


def test_the_routes_are_those_of_the_server() -> None:
    listed = {
        tuple(route.split(" ", 1)) for row in rows("api.md", "Routes") for route in code(row[0])
    }
    served = {(row.method, re.sub(r":[^}]*", "", row.path)) for row in routes()}
    assert listed == served


def test_the_timeouts_are_the_defaults() -> None:
    listed = {code(row[0])[0]: float(row[1]) for row in rows("running.md", "Timeouts")}
    defaults = {
        field.name: field.default
        for field in attrs.fields(UpstreamSettings)
        if field.name.endswith("timeout")
    }
    assert listed == defaults


def test_the_errors_are_those_there_are() -> None:
    listed = {(status, kind, value) for status, kind, value in _errors()}
    classes: list[type[GatewayError]] = [GatewayError]
    for cls in classes:
        classes.extend(cls.__subclasses__())
    for cls in classes:
        if cls.code is not None:
            assert (cls.status, cls.type, cls.code) in listed


def _errors() -> list[tuple[int, str, str]]:
    return [
        (int(status), code(kind)[0], value)
        for statuses, kind, values, _ in rows("api.md", "Errors")
        for status in statuses.split(", ")
        for value in code(values)
    ]


def test_the_example_is_the_plug_in_that_comes_with_the_repository() -> None:
    folder = ROOT / "plugins" / "example"
    shown = [body for page, body in blocks("python") if page == "plugins.md"]
    assert (folder / "g4f_aio_example.py").read_text("utf-8") in shown
    (table,) = (body for _, body in blocks("toml") if "[build-system]" in body)
    real = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    for section, keys in tomllib.loads(table).items():
        assert {key: real[section][key] for key in keys} == keys
