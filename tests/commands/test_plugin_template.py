"""The files of a new plug-in are what their names say, before and after they are filled in."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from g4f_aio.commands import plugin_template
from g4f_aio.commands.new_plugin import Names
from g4f_aio.settings import load

TEMPLATES = {name: text for name, text in vars(plugin_template).items() if name.isupper()}
FILES = Names.of("my-provider").files()


def test_there_is_a_template_for_every_file() -> None:
    assert len(TEMPLATES) == len(FILES) == 4


@pytest.mark.parametrize("text", TEMPLATES.values(), ids=TEMPLATES)
def test_every_blank_is_filled_in(text: str) -> None:
    blanks = set(re.findall(r"\$(\w+)", text))
    assert blanks
    assert blanks <= {
        "class_name", "distribution", "label", "module", "name", "slug", "variable"
    }  # fmt: skip
    assert "$" not in "".join(FILES.values())


def test_the_project_offers_the_provider() -> None:
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    points = project["entry-points"]["g4f.providers"]
    assert points == {"my-provider": "g4f_aio_my_provider:MyProvider"}
    assert project["name"] == "g4f-aio-my-provider"
    assert project["dependencies"] == ["g4f_aio"]


def test_the_provider_is_short() -> None:
    tree = ast.parse(FILES["g4f_aio_my_provider.py"])
    (cls,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    assert cls.end_lineno is not None
    assert cls.end_lineno - cls.lineno < 36


def test_its_settings_in_the_readme_are_settings(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("settings")
    (body,) = re.findall(r"```toml\n(.*?)```", FILES["README.md"], re.DOTALL)
    (folder / "gateway.toml").write_text(body, "utf-8")
    settings = load({"data_dir": str(folder)}, {})
    assert settings.providers["my-provider"].options == {"base_url": "https://api.example"}
    assert "export MY_PROVIDER_API_KEY=" in FILES["README.md"]
