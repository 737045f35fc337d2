"""The project keeps its own promises: layout, packaging, public names, plug-ins, licence."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest

import g4f_aio
from g4f_aio.core.provider import Provider
from g4f_aio.gateway import tokenizing

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "g4f_aio"
TOP_LEVEL = {
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "conf",
    "g4f_aio",
    "plugins",
    "pyproject.toml",
    "setup.cfg",
    "tests",
}
MODULES = sorted(
    path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"
)
#: run by other tests as whole processes, or nothing but constants
WITHOUT_TEST = {Path("__main__.py"), Path("keys.py"), Path("core/stores.py")}


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return listed.stdout.splitlines()


def test_the_top_level_holds_what_the_layout_names_and_dotfiles() -> None:
    found = {name.partition("/")[0] for name in tracked()}
    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_its_test(module: Path) -> None:
    if module in WITHOUT_TEST:
        return
    mirror = ROOT / "tests" / module.with_name(f"test_{module.name}")
    assert mirror.exists(), f"{mirror.relative_to(ROOT)} is missing"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_no_module_has_two_jobs(module: Path) -> None:
    assert len((PACKAGE / module).read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_and_public_name_says_what_it_is(module: Path) -> None:
    tree = ast.parse((PACKAGE / module).read_text("utf-8"))
    assert ast.get_docstring(tree), module
    for node in tree.body:
        match node:
            case (
                ast.ClassDef(name=name)
                | ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
            ) if not name.startswith("_"):
                assert ast.get_docstring(node), f"{module}: {name}"
            case _:
                pass


def test_the_public_names_are_those_of_the_package() -> None:
    for name in g4f_aio.__all__:
        assert getattr(g4f_aio, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = g4f_aio.nothing


def test_a_plug_in_does_not_import_the_server() -> None:
    code = "import sys, g4f_aio; print('aiohttp' in sys.modules, 'cattrs' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.split() == ["False", "False"]


#: imports all modules and looks who imports whom. Where that is no circle, whoever is imported first
#: finds all that he needs: whole modules, but for his own packages, which always begin before him
IMPORT_ALL = """
import builtins, graphlib, sys
from importlib.util import resolve_name

imports = {name: set() for name in sys.argv[1:]}
builtin = builtins.__import__

def watched(name, globals=None, locals=None, fromlist=(), level=0):
    found = builtin(name, globals, locals, fromlist, level)
    who = (globals or {}).get("__name__", "")
    if who.startswith("g4f_aio"):
        whom = resolve_name("." * level + name, globals["__package__"]) if level else name
        for one in (whom, *(f"{whom}.{part}" for part in fromlist or ())):
            while one.startswith("g4f_aio") and not f"{who}.".startswith(f"{one}."):
                if one in sys.modules:
                    imports.setdefault(who, set()).add(one)
                one = one.rpartition(".")[0]
    return found

builtins.__import__ = watched
for name in sys.argv[1:]:
    __import__(name)
assert sum(map(len, imports.values())) > len(imports)
graphlib.TopologicalSorter(imports).prepare()
"""


def test_every_module_can_be_imported_first_and_without_warnings() -> None:
    names = [
        ".".join(("g4f_aio", *module.with_suffix("").parts))
        for module in MODULES
        if module.name != "__main__.py"
    ]
    subprocess.run([sys.executable, "-W", "error", "-c", IMPORT_ALL, *names], check=True)


def test_version_is_the_same_everywhere() -> None:
    assert importlib.metadata.version("g4f_aio") == g4f_aio.__version__


def test_every_built_in_provider_loads_through_its_entry_point() -> None:
    points = importlib.metadata.entry_points(group="g4f.providers")
    ours = [point for point in points if point.dist is not None and point.dist.name == "g4f_aio"]
    assert ours
    for point in ours:
        cls: type[Provider] = point.load()
        assert issubclass(cls, Provider)
        assert cls.name == point.name
        assert cls.label
        assert cls.description
        assert attrs.has(cls)


def test_every_plug_in_folder_is_listed_and_what_it_brings_loads() -> None:
    listed = (ROOT / "plugins" / "requirements.txt").read_text("utf-8").split()
    points = importlib.metadata.entry_points(group="g4f.providers")
    for folder in sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir()):
        assert f"plugins/{folder.name}" in listed
        project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
        assert project["name"] == f"g4f-aio-{folder.name}"
        if folder.name == "tokens":  # no provider: the gateway knows it by its name
            assert importlib.util.find_spec(tokenizing.MODULE) is not None
            continue
        for name, value in project["entry-points"]["g4f.providers"].items():
            assert points[name].value == value
            assert issubclass(points[name].load(), Provider)


def test_each_fact_of_packaging_has_one_home() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "project" not in pyproject
    assert not {section for section in setup.sections() if section.startswith("tool")}


def test_the_readme_s_two_commands_are_there() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for heading in ("Run it", "Test it"):
        block = re.search(rf"^## {heading}\b.*?^```sh\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
        assert block, heading
        assert "venv" in block[1]


def test_the_changelog_tells_of_something_unreleased_or_of_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in changelog or f"## [{g4f_aio.__version__}]" in changelog


def test_there_is_a_licence() -> None:
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")


def test_the_package_ships_its_documentation_and_its_types() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    data = setup["options.package_data"]["g4f_aio"]
    assert "py.typed" in data
    assert "docs/*.md" in data
    assert (PACKAGE / "py.typed").exists()
    assert list((PACKAGE / "docs").glob("*.md"))
