"""``check_provider`` as the author of a plug-in uses it, and what the built-in providers score."""

from __future__ import annotations

import asyncio
import inspect
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from blockbuster import BlockBuster

import g4f_aio
from g4f_aio import CallContext, ChatRequest, EventStream, Finish, ModelInfo, Provider, TextDelta
from g4f_aio.core.messages import Message, TextPart
from g4f_aio.providers.anthropic import Anthropic
from g4f_aio.providers.azure import Azure
from g4f_aio.providers.cloudflare import Cloudflare
from g4f_aio.providers.gemini import Gemini
from g4f_aio.providers.local_servers import LlamaCpp
from g4f_aio.providers.offline_assistant import OfflineAssistant
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.providers.openai_presets import Groq
from g4f_aio.providers.scripted import Scripted
from g4f_aio.testing import Answer, FakeUpstream, check_provider
from g4f_aio.testing.contract import own_code, worst
from g4f_aio.testing.loop_watch import Block
from tests.testing.judged import LINES, Good, faults, said


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    """A chunk of OpenAI's stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": [choice]}


OPENAI = Answer.sse(
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hel"}),
    chunk({"content": "lo"}),
    chunk({}, "stop"),
    {**chunk({}), "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
    "[DONE]",
)
WHOLE = Answer.json(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello"},
                "finish_reason": "stop",
            }
        ],
    }
)
ANTHROPIC = Answer.sse(
    *(
        f"event: {data['type']}\ndata: ".encode() + Answer.json(data).body + b"\n\n"
        for data in (
            {
                "type": "message_start",
                "message": {
                    "id": "m",
                    "type": "message",
                    "role": "assistant",
                    "model": "claude",
                    "content": [],
                    "usage": {"input_tokens": 1, "output_tokens": 1},
                },
            },
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "text", "text": ""},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "text_delta", "text": "Hello"},
            },
            {"type": "content_block_stop", "index": 0},
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn"},
                "usage": {"output_tokens": 2},
            },
            {"type": "message_stop"},
        )
    )
)


def gemini(text: str, **more: str) -> dict[str, Any]:
    """A piece of Gemini's stream."""
    content = {"role": "model", "parts": [{"text": text}]}
    return {"candidates": [{"index": 0, "content": content, **more}]}


GEMINI = Answer.sse(gemini("Hel"), gemini("lo"), gemini("!", finishReason="STOP"))
MODELS = {"object": "list", "data": [{"id": "m", "object": "model"}]}
FAMILIES: list[tuple[type[Provider], dict[str, Any], dict[str, Any]]] = [
    (OpenAICompatible, {"/chat/completions": OPENAI, "/models": MODELS}, {}),
    (Groq, {"/openai/v1/chat/completions": OPENAI, "/openai/v1/models": MODELS}, {}),
    (Azure, {"/openai/v1/chat/completions": OPENAI}, {}),
    (
        Cloudflare,
        {"/client/v4/accounts/a/ai/v1/chat/completions": OPENAI},
        {"settings": {"account_id": "a"}},
    ),
    (LlamaCpp, {"/v1/chat/completions": OPENAI, "/v1/models": MODELS}, {}),
    (Anthropic, {"/v1/messages": ANTHROPIC}, {}),
    (Gemini, {"/v1beta/models/test-model:streamGenerateContent": GEMINI}, {}),
]


@pytest.mark.parametrize(("cls", "answers", "options"), FAMILIES, ids=lambda one: str(one)[:40])
async def test_the_built_in_families_keep_the_contract(
    cls: type[Provider], answers: dict[str, Any], options: dict[str, Any]
) -> None:
    assert await faults(cls, answers, **options) == []


REQUEST = ChatRequest("m", (Message("user", (TextPart("Hello"),)),), stream=True)


@pytest.mark.parametrize(
    ("answer", "request_"),
    [
        (OPENAI, attrs.evolve(REQUEST, accept="openai-chat")),
        (WHOLE, attrs.evolve(REQUEST, stream=False)),
        (WHOLE, attrs.evolve(REQUEST, stream=False, accept="openai-chat")),
    ],
    ids=["relayed", "whole", "whole and relayed"],
)
async def test_whatever_is_asked_for(answer: Answer, request_: ChatRequest) -> None:
    assert await faults(OpenAICompatible, {"/chat/completions": answer}, request=request_) == []


@pytest.mark.parametrize("cls", [OfflineAssistant, Scripted])
async def test_those_that_need_no_upstream_keep_the_contract(cls: type[Provider]) -> None:
    await check_provider(cls, request="How much is 2 + 2?")


INSTALLED = [point for point in entry_points(group="g4f.providers") if point.dist is not None]


@pytest.mark.parametrize("point", INSTALLED, ids=lambda point: point.name)
async def test_all_that_are_installed_declare_themselves_well(point: EntryPoint) -> None:
    assert await said(await asyncio.to_thread(point.load)) == []


async def test_an_instance_can_be_checked() -> None:
    async with FakeUpstream({"/v2/ask": LINES}) as upstream:
        await check_provider(Good(base_url=f"{upstream.url}/v2"), upstream=upstream)


async def test_the_request_may_be_a_text_or_a_whole_one() -> None:
    asked = []

    def answer(request: Any) -> Answer:
        asked.append(request.json)
        return LINES

    await faults(Good, {"/ask": answer}, request="How are you?")
    assert asked[0] == {"model": "good-small", "prompt": "How are you?"}
    asked.clear()
    await faults(Good, {"/ask": answer}, request=REQUEST)
    assert asked[0] == {"model": "m", "prompt": "Hello"}


async def test_the_key_is_sent_where_there_is_one() -> None:
    keys = set()

    def answer(request: Any) -> Answer:
        keys.add(request.headers["Authorization"])
        return LINES

    assert await faults(Good, {"/ask": answer}) == []
    assert await faults(Good, {"/ask": answer}, credential="sk-mine") == []
    assert keys == {"Bearer credential-of-the-test-4b1d", "Bearer sk-mine"}


@attrs.frozen(kw_only=True)
class Careless(Provider):
    """It gets nearly everything wrong."""

    name: ClassVar[str] = "my provider"
    key: ClassVar[str] = "sure"

    base_url: str = ""
    api_token: str = ""

    def missing(self) -> str | None:
        return None if self.base_url else "base_url"

    def models(self) -> Any:
        return [ModelInfo("a")]

    async def chat(self, request: ChatRequest, ctx: CallContext) -> Any:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            yield ""
            await response.read()


@attrs.frozen(kw_only=True)
class Named(Good):
    """Its models are in a list."""

    name: ClassVar[str] = "zoo"

    def models(self) -> Any:
        return [ModelInfo("a")]


@attrs.frozen(kw_only=True)
class Fixed(Good):
    """Only its call is bad."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> Any:
        async with ctx.http.post(f"{self.base_url}/ask") as response:
            await ctx.check(response)
            yield ""
            yield TextDelta("")
            await response.read()


async def test_all_faults_come_at_once_in_one_error() -> None:
    async with FakeUpstream({"/ask": LINES}) as upstream:
        with pytest.raises(AssertionError) as caught:
            await check_provider(Fixed, upstream=upstream)
    head, *rest = str(caught.value).split("\n  - ")
    assert head == "the provider Fixed has 3 faults:"
    assert len(rest) == 3
    with pytest.raises(AssertionError, match=r"^the provider Careless has 4 faults:\n  - name may"):
        await check_provider(Careless)
    with pytest.raises(AssertionError, match=r"^the provider Named has one fault:\n  - models"):
        await check_provider(Named)


@pytest.mark.parametrize("thing", [dict, 5, "provider"])
async def test_what_is_no_provider_is_none(thing: Any) -> None:
    assert await said(thing) == ["it is no provider: derive the class from g4f_aio.Provider"]


@attrs.frozen(kw_only=True)
class Needy(Good):
    """It cannot do without a region."""

    name: ClassVar[str] = "zoo"
    region: str = ""

    def missing(self) -> str | None:
        return None if self.region else 'region, such as "eu"'


async def test_what_a_provider_lacks_is_asked_for() -> None:
    assert await faults(Needy) == [
        'it cannot be called, for it needs region, such as "eu": pass that as settings={…}'
    ]
    assert await faults(Needy, settings={"region": "eu"}) == []


@attrs.frozen(kw_only=True)
class Strict(Good):
    """It trusts nobody without TLS."""

    name: ClassVar[str] = "zoo"
    base_url: str = attrs.field(
        default="https://x", validator=attrs.validators.matches_re("https://.*")
    )


async def test_an_address_that_is_refused() -> None:
    (found,) = await faults(Strict)
    assert found.startswith("its settings do not take http://127.0.0.1:")
    assert "must match regex" in found
    assert found.endswith(": let them, or pass settings={…} with addresses that it takes")


@attrs.frozen(kw_only=True)
class Choosy(Good):
    """It does not take every setting, and has one without a default."""

    name: ClassVar[str] = "zoo"
    size: int = attrs.field(default=0, validator=attrs.validators.ge(1))


async def test_settings_that_make_no_provider() -> None:
    (found,) = await faults(Choosy)
    assert found.startswith("the defaults of its settings make no provider (settings")
    assert "must be >= 1" in found
    assert await faults(Choosy, settings={"size": 1}) == []
    (found,) = await faults(Choosy, settings={"size": "1"})
    what = "settings.size: expected an integer, got a string"
    assert found == f"the settings given make no provider ({what}): correct them"


@attrs.frozen(kw_only=True)
class Unset(Good):
    """It wants to be configured."""

    name: ClassVar[str] = "zoo"
    region: str


async def test_a_setting_without_default_is_one_fault_and_not_two() -> None:
    (found,) = await faults(Unset)
    assert found.startswith("the setting region has no default")
    assert await faults(Unset, settings={"region": "eu"}) == [found]


@attrs.frozen(kw_only=True)
class Blocking(Good):
    """It reads its answer word by word, which takes time."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        async for event in Good.chat(self, request, ctx):
            if isinstance(event, TextDelta) and "big" in event.text:
                work(0.4)
            yield event


@attrs.frozen(kw_only=True)
class Stuck(Good):
    """It never comes back."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        work(60)
        yield Finish()


@attrs.frozen(kw_only=True)
class Sleepy(Good):
    """It waits the wrong way."""

    name: ClassVar[str] = "zoo"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        time.sleep(0.4)  # noqa: ASYNC251  (that is what is to be found)
        async for event in Good.chat(self, request, ctx):
            yield event


def work(seconds: float) -> None:
    """Keep the processor busy for so long, however many others want it."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@pytest.fixture
def _may_block(_no_blocking: BlockBuster) -> Iterator[None]:
    """Let a test block its event loop."""
    _no_blocking.deactivate()
    yield
    _no_blocking.activate()


@pytest.mark.usefixtures("_may_block")
@pytest.mark.parametrize(
    ("cls", "line", "options"),
    [
        (Blocking, "in work, `", {}),
        (Stuck, "in work, `", {"within": 0.5}),
        (Sleepy, "in chat, `time.sleep(0.4)  # noqa", {}),
    ],
)
async def test_who_blocks_the_event_loop_is_named_with_the_line(
    cls: type[Provider], line: str, options: dict[str, Any]
) -> None:
    found = await faults(cls, **options)
    blocks = [fault for fault in found if fault.startswith("it blocks the event loop for ")]
    assert blocks
    assert all(" s at test_contract.py:" in fault and line in fault for fault in blocks)
    assert blocks[0].endswith(
        "await something that does not block, or call it with asyncio.to_thread"
    )
    assert len(blocks) == len(found)


@pytest.mark.usefixtures("_may_block")
async def test_how_long_a_block_may_be_can_be_said() -> None:
    assert await faults(Sleepy, max_lag=30.0) == []


def test_the_longest_block_of_each_place_is_told() -> None:
    short, long = Block("a.py:1 in f", "f()", 0.1), Block("a.py:1 in f", "f()", 0.5)
    other = Block("b.py:1 in g", "g()", 0.2)
    assert set(worst([long, short, other])) == {long, other}


def test_the_code_of_a_provider_is_its_module_or_its_package() -> None:
    mine = own_code(Good)
    assert mine(sys.modules[Good.__module__].__file__ or "")
    assert mine(__file__)
    assert not mine(subprocess.__file__)
    packaged = own_code(OpenAICompatible)
    assert packaged(sys.modules["g4f_aio.dialects.sse"].__file__ or "")
    assert not packaged(sys.modules["g4f_aio.testing.call"].__file__ or "")
    assert not packaged(__file__)
    nowhere = type("Nowhere", (Provider,), {"__module__": "nowhere"})
    assert not own_code(nowhere)(__file__)


def test_the_server_does_not_import_the_kit() -> None:
    code = (
        "import sys, g4f_aio.app, g4f_aio.cli, g4f_aio.serve, g4f_aio.commands.api;"
        "print([name for name in sys.modules if name.startswith('g4f_aio.testing')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_kit_needs_nothing_that_the_server_does_not() -> None:
    code = (
        "import sys, g4f_aio.testing;"
        "print([n for n in ('pytest', 'blockbuster', 'trustme') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


GUIDE = (Path(g4f_aio.__file__).parent / "docs" / "plugins.md").read_text("utf-8")
SECTION = GUIDE.partition("## Test a plug-in\n")[2].partition("\n## ")[0]


def test_the_guide_names_all_that_one_may_say() -> None:
    table = SECTION.partition("| argument | is |")[2].partition("\n\n")[0]
    parameters = list(inspect.signature(check_provider).parameters.values())[1:]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [one.name for one in parameters]
    for one in parameters:
        if one.default is not None:
            assert f"`{one.name}`" in table
            assert f"; {one.default:g} |" in table


def test_the_answers_in_the_guide_are_answers() -> None:
    table = SECTION.partition("| answer | is |")[2].partition("\n\n")[0]
    shown = re.findall(r"^\| `(Answer.*?)` \|", table, re.MULTILINE)
    assert len(shown) == 6
    for text in shown:
        assert isinstance(eval(text, {"Answer": Answer, "value": {}}), Answer)  # noqa: S307


def test_the_test_in_the_guide_passes() -> None:
    (program,) = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)  # noqa: S102  (ours)
    asyncio.run(names["test_it_keeps_the_contract_of_a_provider"]())
