"""The files of a new plug-in; ``$`` begins what differs from one to the next."""

from __future__ import annotations

PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "$distribution"
version = "0.1.0"
description = "$label for g4f_aio"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["g4f_aio"]

[project.optional-dependencies]
test = ["pytest"]

[project.entry-points."g4f.providers"]
"$name" = "$module:$class_name"

[tool.setuptools]
py-modules = ["$module"]

[tool.pytest.ini_options]
testpaths = ["tests"]
"""

MODULE = '''\
"""A provider for g4f_aio: $label."""

import json
from typing import ClassVar

import attrs

from g4f_aio import (
    CallContext,
    ChatRequest,
    EventStream,
    Finish,
    ModelInfo,
    Provider,
    TextDelta,
    UpstreamError,
)


@attrs.frozen(kw_only=True)
class $class_name(Provider):
    """``POST /v1/generate`` at *base_url*, answered with server-sent events."""

    name: ClassVar[str] = "$name"
    label: ClassVar[str] = "$label"
    description: ClassVar[str] = "Hosted API; needs your own key"
    key: ClassVar[str] = "required"

    base_url: str = "https://api.example"

    def models(self) -> tuple[ModelInfo, ...]:
        """The models there are; the first is the default one."""
        return (ModelInfo("$slug-small"), ModelInfo("$slug-large"))

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        """Each event has a piece of ``text``; the last one is ``done``."""
        said = [{"role": message.role, "content": message.text} for message in request.messages]
        body = {"model": request.model, "messages": said, "stream": True}
        headers = {"Authorization": f"Bearer {ctx.credential}"}
        url = f"{self.base_url}/v1/generate"
        async with ctx.http.post(url, headers=headers, json=body) as response:
            await ctx.check(response)  # raises the right error unless the status is a success
            async for line in response.lines():
                match data_of(line):
                    case {"text": str(text)} if text:
                        yield TextDelta(text)
                    case {"done": True}:
                        yield Finish("stop")
                        await response.end()  # so that the connection can be used again
                        return
        raise UpstreamError(f"{ctx.provider} broke its answer off", provider=ctx.provider)


def data_of(line: bytes) -> object:
    """The JSON that a line of an event holds; None when it holds none."""
    if not line.startswith(b"data:"):
        return None
    try:
        return json.loads(line.removeprefix(b"data:"))
    except ValueError:
        return None
'''

TEST = '''\
"""$class_name keeps the contract of a provider; the upstream is a fake one on this machine."""

import asyncio

from g4f_aio.testing import Answer, FakeUpstream, check_provider
from $module import $class_name

ANSWER = Answer.sse({"text": "Hello"}, {"text": " world"}, {"done": True})


def test_it_keeps_the_contract() -> None:
    async def check() -> None:
        async with FakeUpstream({"POST /v1/generate": ANSWER}) as upstream:
            await check_provider($class_name, upstream=upstream)

    asyncio.run(check())
'''

README = """\
# $distribution

$label as a provider for g4f_aio. Install it beside g4f_aio and give it a key:

```sh
python -m pip install .
export $variable=...
python -m g4f_aio check $name
```

Its settings, where the defaults will not do, are a table in `gateway.toml`:

```toml
[providers."$name"]
base_url = "https://api.example"
```

To work on it:

```sh
python -m pip install -e '.[test]'
python -m pytest
```

The API that it speaks is made up: write that of your upstream into `chat`, and what it answers into the test.
"""
