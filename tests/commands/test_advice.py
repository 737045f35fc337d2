"""Whatever is wrong with a plug-in, its author and its user are told what to do about it."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from g4f_aio.commands.advice import place_of
from g4f_aio.testing import Answer, FakeUpstream
from tests.commands.conftest import install

Run = Callable[..., CompletedProcess[str]]
Write = Callable[..., str]
HEAD = """
import attrs
from typing import ClassVar
from g4f_aio import Finish, ModelInfo, Provider, TextDelta
"""
ASKING = (
    HEAD
    + '''
@attrs.frozen(kw_only=True)
class Plugin(Provider):
    """Asks its upstream."""

    name: ClassVar[str] = "{name}"
    key: ClassVar[str] = "{key}"
    base_url: str = "{url}"

    def missing(self):
        return None if self.base_url else 'base_url, such as "http://127.0.0.1:9000"'

    def models(self):
        return (ModelInfo("m"),)

    async def chat(self, request, ctx):
        async with ctx.http.post(self.base_url, json={{}}) as response:
            await ctx.check(response)
            {first}
            yield TextDelta("Hello")
        yield Finish()
'''
)
#: where the author is sent who has more to do than can be said on a line
CHECK = "g4f_aio.testing.check_provider tells its author everything that is wrong with it"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Install a plug-in of this source: its class is Plugin. What it returns is its name."""

    def write_plugin(name: str, source: str | None, target: str = "Plugin") -> str:
        site = tmp_path / "site"
        install(site, name, f"advice_{name}:{target}")
        if source is not None:
            (site / f"advice_{name}.py").write_text(textwrap.dedent(source), "utf-8")
        monkeypatch.syspath_prepend(str(site))
        return name

    return write_plugin


def report(done: CompletedProcess[str], name: str) -> str:
    """What the doctor says of one provider."""
    (line,) = (line for line in done.stdout.splitlines() if line.split()[1] == name)
    assert line.startswith("FAIL")
    return line.split(maxsplit=2)[2]


@pytest.mark.parametrize(
    ("name", "source", "state", "advice"),
    [
        (
            "lonely",
            "import nowhere.to.be.found",
            "ModuleNotFoundError: No module named 'nowhere'",
            "; install the package that has nowhere; lonely-plug-in should name it in its dep",
        ),
        (
            "old",
            "from g4f_aio import Yesterday",
            "ImportError: cannot import name 'Yesterday' from 'g4f_aio'",
            "; old-plug-in 1.0 was made for another g4f_aio than ",
        ),
        (
            "older",
            "import g4f_aio.yesterday",
            "ModuleNotFoundError: No module named 'g4f_aio.yesterday'",
            "; older-plug-in 1.0 was made for another g4f_aio than ",
        ),
        (
            "odd",
            "def halve(n):\n    return n / 0\nhalve(1)\n",
            "ZeroDivisionError: division by zero",
            "; raised at advice_odd.py:2, `return n / 0`",
        ),
        (
            "leaving",
            "import sys\nsys.exit(3)",
            "calls exit(3) when it is imported",
            "; raised at advice_leaving.py:2, `sys.exit(3)`",
        ),
        (
            "misspelt",
            "class Plugin(",
            "SyntaxError: '(' was never closed (advice_misspelt.py, line 1)",
            "",
        ),
        (
            "hollow",
            None,
            "No module named 'advice_hollow'",
            "; the package has no such module (py-modules or packages): correct that in the py",
        ),
        (
            "renamed",
            HEAD,
            "module 'advice_renamed' has no attribute 'Plugin'",
            '; its entry point is renamed = "advice_renamed:Plugin": correct that in the py',
        ),
        (
            "other",
            "Plugin = 5",
            "advice_other:Plugin is no subclass of g4f_aio.Provider",
            "; let its entry point name the class in place of advice_other:Plugin, and inst",
        ),
        (
            "plain",
            HEAD + "class Plugin(Provider):\n    name = 'plain'",
            "is not decorated with attrs.frozen(kw_only=True)",
            "",
        ),
        (
            "unset",
            HEAD + "@attrs.frozen(kw_only=True)\n"
            "class Plugin(Provider):\n    name = 'unset'\n    region: str\n    zone: str",
            "providers.unset.region: required field missing",
            "; set region and zone in [providers.unset] of the settings",
        ),
        (
            "confused",
            HEAD + "@attrs.frozen(kw_only=True)\n"
            "class Plugin(Provider):\n    name = 'confused'\n    def models(self):\n"
            "        return ['m']",
            "models() returns no tuple of ModelInfo",
            f"; {CHECK}",
        ),
    ],
)
def test_a_plug_in_that_is_broken(  # noqa: PLR0917  (a table of four columns)
    run: Run, write: Write, name: str, source: str | None, state: str, advice: str
) -> None:
    write(name, source)
    said = report(run("check", name), name)
    assert said.startswith("broken: ")
    assert state in said
    rest = said.partition(state)[2]
    assert rest.endswith(advice) or advice in rest
    assert bool(advice) == bool(rest.strip())
    listed = run("providers", name).stdout
    assert ("to do" in listed) == bool(advice)
    assert advice.removeprefix("; ") in listed


def test_a_setting_that_is_missing(run: Run, write: Write) -> None:
    write("blank", ASKING.format(name="blank", key="none", url="", first=""))
    said = report(run("check", "blank"), "blank")
    assert said == (
        'needs base_url, such as "http://127.0.0.1:9000"; set it in [providers.blank] of the'
        " settings"
    )


def test_a_key_that_is_missing(run: Run, write: Write) -> None:
    write("keyless", ASKING.format(name="keyless", key="required", url="http://x", first=""))
    needs = "needs an API key: set KEYLESS_API_KEY, or api_key in [providers.keyless]"
    assert report(run("check", "keyless"), "keyless") == needs
    listed = run("providers", "keyless").stdout
    assert "required, in KEYLESS_API_KEY or api_key" in listed
    assert "table         [providers.keyless]" in listed
    assert "to do" not in listed


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    """An upstream with an address for each failure."""
    refused = {"error": {"message": "no"}}
    answers: dict[str, Any] = {
        "/401": Answer.json(refused, status=401),
        "/429": Answer.json(refused, status=429),
        "/429-7": Answer.json(refused, status=429, headers={"Retry-After": "7"}),
        "/504": Answer.json(refused, status=504),
        "/500": Answer.json(refused, status=500),
        "/200": {},
    }
    async with FakeUpstream(answers) as upstream:
        yield upstream


async def examined(run: Run, write: Write, name: str, source: str, **surroundings: str) -> str:
    """What the doctor says of a plug-in, in a thread."""

    def examine() -> str:
        return report(run("check", write(name, source), **surroundings), name)

    return await asyncio.to_thread(examine)


#: path, key, settings, advice
CASES = [
    ("/401", "required", "", "the key is that of the variable NAME_API_KEY: correct it there"),
    ("/401", "required", 'api_key = "sk-1"', "the key is api_key in [providers.NAME]: correct it"),
    (
        "/401",
        "required",
        'api_keys = ["sk-1", "sk-2"]',
        "the keys are api_keys in [providers.NAME]",
    ),
    ("/401", "optional", "", "it may want a key: set NAME_API_KEY, or api_key in [providers.NAME]"),
    ("/401", "none", "", f"it says that it takes no key; {CHECK}"),
    ("/429", "none", "", "try again later, or use another key"),
    ("/429-7", "none", "", "try again in 7 s, or use another key"),
    ("/504", "none", "", "is it busy, or its address wrong? the time limits are in [upstream]"),
    ("/500", "none", "", ""),
]


@pytest.mark.parametrize("case", CASES)
async def test_an_upstream_that_refuses(
    run: Run, write: Write, upstream: FakeUpstream, case: tuple[str, str, str, str]
) -> None:
    path, key, settings, advice = case
    name = f"case{CASES.index(case)}"
    source = ASKING.format(name=name, key=key, url=upstream.url + path, first="")
    variables = (
        {f"{name.upper()}_API_KEY": "sk-hidden"} if key == "required" and not settings else {}
    )
    table = f"[providers.{name}]\n{settings}\n[routing]\nretries = 0\n"
    said = await examined(run, write, name, source, settings=table, **variables)
    answered = f"{name} answered {path[1:4]}: no"
    assert said.startswith(answered)
    assert advice.replace("NAME_", f"{name.upper()}_").replace("NAME", name) in said
    assert bool(advice) == (said != answered)
    assert "sk-" not in said


async def test_an_upstream_that_is_not_there(run: Run, write: Write) -> None:
    source = ASKING.format(name="gone", key="none", url="http://127.0.0.1:9", first="")
    said = await examined(run, write, "gone", source)
    assert said.startswith("gone: cannot connect to http://127.0.0.1:9: ")
    assert said.endswith(
        "; is it running (base_url in [providers.gone]), and can it be reached from here?"
    )


async def test_an_exception_that_is_none_of_ours(
    run: Run, write: Write, upstream: FakeUpstream
) -> None:
    url, first = f"{upstream.url}/200", 'raise KeyError("x")'
    source = ASKING.format(name="rough", key="none", url=url, first=first)
    said = await examined(run, write, "rough", source)
    assert said.startswith("rough failed with KeyError; raised at advice_rough.py:")
    assert said.endswith(f', `raise KeyError("x")`; {CHECK}')


async def test_a_chat_that_returns(run: Run, write: Write) -> None:
    source = ASKING.format(name="returning", key="none", url="http://127.0.0.1:9", first="")
    source = source.replace('yield TextDelta("Hello")', "pass").replace("yield", "return")
    assert await examined(run, write, "returning", source) == (
        "returning.chat is no asynchronous generator; its chat must be an `async def` with `yield`;"
        f" {CHECK}"
    )


def test_an_exception_without_a_place_has_none() -> None:
    assert place_of(None) is None
    assert place_of(ValueError()) is None
