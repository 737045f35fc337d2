"""JSON into attrs classes: nothing is coerced, and every fault is named by its JSON path."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.dialects import structure
from g4f_aio.dialects.structure import bad_request, describe, load_object, strict_converter


@attrs.frozen
class Point:
    x: int
    y: int = 0


@attrs.frozen
class Shape:
    name: str = ""
    closed: bool = False
    width: float = 1.0
    points: list[Point] = attrs.field(factory=list)
    corner: Point | None = None
    tags: tuple[str, ...] = ()
    size: tuple[int, str] | None = None
    more: dict[str, Any] = attrs.field(factory=dict)


@attrs.define(slots=False)
class Sketch:
    """As a request of many fields; such an object is made without its constructor."""

    name: str
    size: int | None = None
    width: float = 1.0
    corner: Point | None = None


@attrs.frozen(slots=False)
class Drawing(Sketch):
    more: dict[str, Any] | None = None


@attrs.define(slots=False)
class Album:
    """Its constructor does more than to take what is there."""

    tags: list[str] = attrs.field(factory=list)
    points: list[Point] = attrs.field(factory=list)


@pytest.fixture(params=[True, False], ids=["exact", "fast"])
def detailed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def test_json_of_the_right_types_is_taken_as_it_is(detailed: bool) -> None:  # noqa: FBT001
    value = {
        "name": "a",
        "closed": True,
        "width": 2,
        "points": [{"x": 1}, {"x": 2, "y": 3}],
        "corner": None,
        "tags": ["b"],
        "size": [1, "c"],
        "more": {"x": [1, {"y": None}]},
        "unknown": 1,
    }
    shape = strict_converter(detailed=detailed).structure(value, Shape)
    assert shape == Shape(
        name="a",
        closed=True,
        width=2,
        points=[Point(1), Point(2, 3)],
        tags=("b",),
        size=(1, "c"),
        more={"x": [1, {"y": None}]},
    )
    assert type(shape.width) is int


def test_what_is_made_without_its_constructor_is_as_if_it_was_made_with_it(
    detailed: bool,  # noqa: FBT001
) -> None:
    into = strict_converter(detailed=detailed).structure
    assert into({"name": "a"}, Sketch) == Sketch("a")
    value = {"name": "a", "size": 1, "corner": {"x": 1}, "unknown": 1}
    assert into(value, Sketch) == Sketch("a", 1, corner=Point(1))
    assert into(value | {"more": {"x": []}}, Drawing) == Drawing(
        "a", 1, corner=Point(1), more={"x": []}
    )
    wrongs: list[Any] = [
        {},
        {"size": 1, "width": 2, "corner": None},
        {"name": "a", "size": "1"},
        [],
    ]
    for wrong in wrongs:
        with pytest.raises(Exception):  # noqa: B017, PT011
            into(wrong, Sketch)


def test_objects_do_not_share_what_is_made_for_each(detailed: bool) -> None:  # noqa: FBT001
    into = strict_converter(detailed=detailed).structure
    first, second = into({"tags": ["a"]}, Album), into({"tags": ["a"]}, Album)
    assert first == second == Album(["a"])
    assert first.points is not second.points


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"name": 1}, "$.name: expected a string, got an integer"),
        ({"name": None}, "$.name: expected a string, got null"),
        ({"closed": "false"}, "$.closed: expected a boolean, got a string"),
        ({"closed": 0}, "$.closed: expected a boolean, got an integer"),
        ({"width": "1"}, "$.width: expected a number, got a string"),
        ({"width": True}, "$.width: expected a number, got a boolean"),
        ({"points": {}}, "$.points: expected an array, got an object"),
        ({"points": ""}, "$.points: expected an array, got a string"),
        ({"points": ["x"]}, "$.points[0]: expected an object, got a string"),
        ({"points": [{"x": 1}, {}]}, "$.points[1].x: required field missing"),
        ({"points": [{"x": 1.0}]}, "$.points[0].x: expected an integer, got a number"),
        ({"points": [{"x": True}]}, "$.points[0].x: expected an integer, got a boolean"),
        ({"corner": []}, "$.corner: expected an object, got an array"),
        ({"corner": "x"}, "$.corner: expected an object, got a string"),
        ({"tags": "ab"}, "$.tags: expected an array, got a string"),
        ({"tags": ["a", 1]}, "$.tags[1]: expected a string, got an integer"),
        ({"more": []}, "$.more: expected an object, got an array"),
        ([], "$: expected an object, got an array"),
        (
            {"name": 1, "width": {}},
            "$.name: expected a string, got an integer; $.width: expected a number, got an object",
        ),
    ],
)
def test_json_of_a_wrong_type_is_refused_with_its_path(value: Any, message: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  (whatever cattrs raises)
        strict_converter().structure(value, Shape)
    error = bad_request(caught.value)
    assert error.message == message
    path = message.partition(":")[0]
    assert error.param == (path.removeprefix("$.") if path != "$" else None)
    with pytest.raises(Exception):  # noqa: B017, PT011
        strict_converter(detailed=False).structure(value, Shape)


def test_a_million_faults_are_not_all_described() -> None:
    value = {"points": ["x"] * 1_000_000, "tags": [1] * 1_000_000}
    with pytest.raises(Exception) as caught:  # noqa: PT011
        strict_converter().structure(value, Shape)
    assert len(describe(caught.value)) == 2 * structure.MOST_ERRORS
    message = bad_request(caught.value).message
    assert message.count("$.") == structure.MOST_ERRORS
    assert message.endswith("$.points[9]: expected an object, got a string; and more")


def test_a_path_with_the_separator_in_it_is_kept_whole() -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        strict_converter().structure({"a @ $.b": "x"}, dict[str, int])
    assert describe(caught.value) == [
        ("$['a @ $.b']", "expected an integer, got a string"),
    ]


def test_an_error_of_another_kind_is_described_too() -> None:
    assert describe(ValueError("no such role")) == [("$", "no such role")]
    assert describe(RuntimeError("odd")) == [("$", "invalid value (odd)")]


def test_an_object_is_loaded() -> None:
    assert load_object(b' {"a": [1, 2.5, null, "\xc3\xa9"]}\n') == {"a": [1, 2.5, None, "é"]}


def test_of_equal_keys_the_last_one_counts_and_the_others_are_gone() -> None:
    assert load_object(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\n"}',
        b'{"a": 1} {}',
        b'\xef\xbb\xbf{"a": 1}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequestError, match=r"^The body is not valid JSON: ") as caught:
        load_object(body)
    assert caught.value.status == 400
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("deep", [b"[" * 250 + b"]" * 250, b'{"a":' * 900 + b"1" + b"}" * 900])
def test_what_could_be_read_but_not_be_sent_on_is_refused(deep: bytes) -> None:
    with pytest.raises(BadRequestError, match=r"^The body is nested too deeply$"):
        load_object(b'{"a":' + deep + b"}")


def test_brackets_in_texts_are_not_nested() -> None:
    assert load_object(b'{"a":"' + b"[{" * 1000 + b'"}') == {"a": "[{" * 1000}


def test_nobody_needs_to_be_so_moderate_as_to_notice() -> None:
    assert load_object(b'{"a":' + b"[" * 200 + b"]" * 200 + b"}")


def test_more_objects_and_arrays_than_anybody_needs_are_refused() -> None:
    half = structure.MOST_CONTAINERS // 2
    enough = b'{"a":[' + b"{}," * half + b"[1]," * (half - 2)
    text = b'"%b"]}' % (b"[{" * 2**19)
    assert len(load_object(enough + text)["a"]) == 2 * half - 1
    with pytest.raises(BadRequestError, match="more than 50000 objects and arrays"):
        load_object(enough + b"[]," + text)


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (b"[]", "an array"),
        (b'"x"', "a string"),
        (b"1", "an integer"),
        (b"1.5", "a number"),
        (b"true", "a boolean"),
        (b"null", "null"),
    ],
)
def test_json_that_is_no_object_is_refused(body: bytes, got: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        load_object(body)
    assert caught.value.message == f"The body must be a JSON object, not {got}"
    assert caught.value.param is None


def test_a_value_that_is_no_json_is_named_by_its_class() -> None:
    assert str(structure.wrong_type("a string", b"")) == "expected a string, got bytes"
