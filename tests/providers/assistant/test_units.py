from __future__ import annotations

import pytest

from g4f_aio.providers.assistant.question import Question, one_line
from g4f_aio.providers.assistant.units import TOOL, units


def answer(text: str) -> str | None:
    found = units(Question(text, one_line(text)))
    if found is None:
        return None
    line, _, tool = found.partition("\n\n")
    assert tool == TOOL
    return line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("convert 5 km to miles", "5 km ≈ 3.10685596118667 mi"),
        ("how many feet in a mile?", "1 mi = 5280 ft"),
        ("how many feet are in 2 miles", "2 mi = 10560 ft"),
        ("12 inches to cm", "12 in = 30.48 cm"),
        ("5 in in cm", "5 in = 12.7 cm"),
        ("1 lb in kg", "1 lb = 0.45359237 kg"),
        ("100 °C in Fahrenheit", "100 °C = 212 °F"),
        ("-40 C to F", "-40 °C = -40 °F"),
        ("37 degrees celsius to kelvin", "37 °C = 310.15 K"),
        ("100 F to C", "100 °F ≈ 37.7777777777778 °C"),
        ("1 GiB in MB", "1 GiB = 1073.741824 MB"),
        ("100 Mbit to MB", "100 Mbit = 12.5 MB"),
        ("how many seconds in a year", "1 yr (of 365.2425 d) = 31556952 s"),
        ("How many hours are there in 3 days?", "3 d = 72 h"),
        ("1,000 mph in km/h", "1000 mph = 1609.344 km/h"),
        ("10 m/s to km/h", "10 m/s = 36 km/h"),
        ("2 nautical miles in km", "2 nmi = 3.704 km"),
        ("1 gallon to litres", "1 US gal = 3.785411784 l"),
        ("5 Kilometer in Meter", "5 km = 5000 m"),
        ("1e3 m to km", "1000 m = 1 km"),
    ],
)
def test_the_same_quantity_in_another_unit(text: str, line: str) -> None:
    assert answer(text) == line


def test_quantities_of_different_kinds_are_not_converted() -> None:
    assert answer("5 km to kg") == "That cannot be converted: km measures length, kg mass."


def test_nothing_is_colder_than_absolute_zero() -> None:
    line = answer("-500 C to F")
    assert line is not None
    assert line.startswith("There is no temperature below 0 K")


@pytest.mark.parametrize(
    "text", ["", "what is a meter", "5 eggs in a box", "2 in binary", "5 km", "1e999 m to km"]
)
def test_other_questions_are_left_to_others(text: str) -> None:
    assert answer(text) is None
