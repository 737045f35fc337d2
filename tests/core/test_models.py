"""What a model can do and what it is called."""

from __future__ import annotations

import pytest

from g4f_aio.core.models import Capability, ModelInfo


@pytest.mark.parametrize(
    ("capability", "names"),
    [
        (Capability.NONE, ()),
        (Capability.CHAT, ("chat",)),
        (Capability.TOOLS | Capability.CHAT, ("chat", "tools")),
        (Capability.JSON_SCHEMA, ("json_schema",)),
    ],
)
def test_the_names_of_flags(capability: Capability, names: tuple[str, ...]) -> None:
    assert capability.names == names


def test_every_flag_is_a_single_one_and_has_a_name_of_its_own() -> None:
    names = [flag.names for flag in Capability]
    assert all(len(name) == 1 for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("model", "may"),
    [
        (ModelInfo("m"), True),
        (ModelInfo("m", Capability.CHAT | Capability.STREAM), True),
        (ModelInfo("m", Capability.EMBEDDINGS), False),
        (ModelInfo("m", by_name_only=True), False),
        (ModelInfo("m", Capability.CHAT, by_name_only=True), False),
    ],
)
def test_which_models_may_answer_a_chat_that_names_none(
    model: ModelInfo,
    may: bool,  # noqa: FBT001
) -> None:
    assert model.may_be_default is may


def test_a_model_of_which_only_the_name_is_known() -> None:
    model = ModelInfo("m")
    assert (model.capabilities, model.aliases, model.created) == (None, (), 0)
