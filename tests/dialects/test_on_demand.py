"""Dialects that are loaded when something in them is used first."""

import subprocess
import sys

from g4f_aio.dialects import on_demand, openai_responses

NAMES = "('completions', 'embeddings', 'moderations', 'responses')"


def test_they_are_the_dialects() -> None:
    assert on_demand.responses.OPENAI_RESPONSES is openai_responses.OPENAI_RESPONSES
    for name in on_demand.__all__:
        assert getattr(on_demand, name).__name__ == f"g4f_aio.dialects.openai_{name}"


def test_a_provider_of_chats_loads_none_of_them() -> None:
    code = (
        "import sys, g4f_aio.providers.openai_compatible; "
        f"print([n for n in {NAMES} if f'g4f_aio.dialects.openai_{{n}}' in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
