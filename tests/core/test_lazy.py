"""Modules that are imported when something in them is used first."""

import sys
from pathlib import Path

import pytest

from g4f_aio.core.lazy import LazyModule


@pytest.fixture
def rare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that nobody has imported."""
    (tmp_path / "rare_module.py").write_text("THING = object()\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rare_module", raising=False)
    return "rare_module"


def test_it_is_imported_with_the_first_look_at_it(rare: str) -> None:
    module = LazyModule(rare)
    assert rare not in sys.modules
    thing = module.THING
    assert thing is sys.modules[rare].THING
    assert module.THING is thing


def test_a_name_may_start_from_a_package() -> None:
    assert LazyModule(".tokens", "g4f_aio.core").__name__ == "g4f_aio.core.tokens"


def test_it_has_what_the_module_has_and_nothing_else(rare: str) -> None:
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = LazyModule(rare).other


def test_a_module_that_cannot_be_imported_fails_each_time() -> None:
    module = LazyModule("nowhere_to_be_found")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError):
            _ = module.anything
