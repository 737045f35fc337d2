from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points

from g4f_aio.providers.assistant.ways import WAYS

TYPES = entry_points(group="g4f.providers").names


def test_the_variables_named_are_those_of_providers_there_are() -> None:
    variables = {f"{name.upper()}_API_KEY" for name in TYPES}
    named = set(re.findall(r"\w+_API_KEY", WAYS))
    assert "OPENAI_API_KEY" in named
    assert named <= variables


def test_the_table_named_is_valid_and_of_a_type_there_is() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", WAYS, re.DOTALL)
    (table,) = tomllib.loads(block)["providers"].values()
    assert table["type"] in TYPES
    assert table["base_url"].endswith("/v1")
