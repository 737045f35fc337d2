"""A schema tells what does not fit, and nothing is ever fetched for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from g4f_aio import BadRequestError
from g4f_aio.gateway.polyfills.schema import FAULTS, LONGEST, Anything, Compiled

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "ages": {"items": {"type": "integer"}}},
    "required": ["name"],
}


def test_faults_are_told_with_their_paths() -> None:
    schema = Compiled(PERSON, "p")
    assert schema.faults({"name": "Bo", "ages": [1]}) == []
    assert set(schema.faults({"ages": [1, "x"]})) == {
        '$.ages[1]: "x" is not of type "integer"',
        '$: "name" is a required property',
    }


def test_not_too_many_and_not_at_length() -> None:
    faults = Compiled({"items": {"type": "integer"}}, "p").faults(["x" * 1000] * 10)
    assert len(faults) == FAULTS
    assert all(len(one) < LONGEST + 20 for one in faults)


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "http://127.0.0.1:9/schema"}])
def test_what_is_no_schema_or_elsewhere_is_the_callers_mistake(schema: object) -> None:
    with pytest.raises(BadRequestError, match=r"\$\.the\.path: no valid JSON Schema") as caught:
        Compiled(schema, "the.path")
    assert caught.value.param == "the.path"


def test_any_object_fits() -> None:
    assert Anything().faults({"a": 1}) == []
    assert Anything().faults([1]) == ["$: must be a JSON object"]


def test_the_library_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, g4f_aio.gateway.gateway; print('jsonschema_rs' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "False"
