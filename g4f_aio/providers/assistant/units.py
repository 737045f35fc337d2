"""Units: conversions by exact factors."""

from __future__ import annotations

import re
from fractions import Fraction

import attrs

from .decimals import decimal
from .question import Question

TOOL = "Tool: units (exact factors; ≈ marks a rounded result)"


@attrs.frozen
class Unit:
    """A unit of *kind*: ``base = value * factor + offset``."""

    kind: str
    name: str
    factor: Fraction
    offset: Fraction = Fraction(0)


#: kind, factor to the kind's base unit, name to show, further spellings in lower case
_TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("length", "1", "m", "meter meters metre metres"),
    ("length", "0.001", "mm", "millimeter millimeters millimetre millimetres"),
    ("length", "0.01", "cm", "centimeter centimeters centimetre centimetres zentimeter"),
    ("length", "1000", "km", "kilometer kilometers kilometre kilometres"),
    ("length", "1e-6", "µm", "um micrometer micrometers micron microns"),
    ("length", "1e-9", "nm", "nanometer nanometers"),
    ("length", "0.0254", "in", 'inch inches zoll "'),
    ("length", "0.3048", "ft", "foot feet"),
    ("length", "0.9144", "yd", "yard yards"),
    ("length", "1609.344", "mi", "mile miles meile meilen"),
    ("length", "1852", "nmi", "nautical_mile nautical_miles seemeile seemeilen"),
    ("mass", "1", "g", "gram grams gramm gramme"),
    ("mass", "0.001", "mg", "milligram milligrams milligramm"),
    ("mass", "1000", "kg", "kilo kilos kilogram kilograms kilogramm"),
    ("mass", "1e6", "t", "tonne tonnes metric_ton metric_tons"),
    ("mass", "453.59237", "lb", "lbs pound pounds pfund"),
    ("mass", "28.349523125", "oz", "ounce ounces unze unzen"),
    ("mass", "6350.29318", "st", "stone stones"),
    ("data", "1", "bytes", "b byte"),
    ("data", "0.125", "bit", "bits"),
    ("data", "1e3", "kB", "kb kilobyte kilobytes"),
    ("data", "1e6", "MB", "mb megabyte megabytes"),
    ("data", "1e9", "GB", "gb gigabyte gigabytes"),
    ("data", "1e12", "TB", "tb terabyte terabytes"),
    ("data", "1e15", "PB", "pb petabyte petabytes"),
    ("data", "1024", "KiB", "kib kibibyte kibibytes"),
    ("data", "1048576", "MiB", "mib mebibyte mebibytes"),
    ("data", "1073741824", "GiB", "gib gibibyte gibibytes"),
    ("data", "1099511627776", "TiB", "tib tebibyte tebibytes"),
    ("data", "125", "kbit", "kilobit kilobits"),
    ("data", "125000", "Mbit", "mbit megabit megabits"),
    ("data", "125000000", "Gbit", "gbit gigabit gigabits"),
    ("time", "1", "s", "sec secs second seconds sekunde sekunden"),
    ("time", "0.001", "ms", "millisecond milliseconds millisekunden"),
    ("time", "1e-6", "µs", "us microsecond microseconds"),
    ("time", "1e-9", "ns", "nanosecond nanoseconds"),
    ("time", "60", "min", "mins minute minutes minuten"),
    ("time", "3600", "h", "hr hrs hour hours stunde stunden"),
    ("time", "86400", "d", "day days tag tage"),
    ("time", "604800", "wk", "week weeks woche wochen"),
    ("time", "31556952", "yr (of 365.2425 d)", "year years jahr jahre"),
    ("speed", "1", "m/s", "mps meters_per_second metres_per_second"),
    ("speed", "5/18", "km/h", "kmh kph kilometers_per_hour kilometres_per_hour"),
    ("speed", "0.44704", "mph", "mi/h miles_per_hour"),
    ("speed", "463/900", "kn", "knot knots kt kts knoten"),
    ("speed", "0.3048", "ft/s", "fps feet_per_second"),
    ("volume", "1", "l", "liter liters litre litres"),
    ("volume", "0.001", "ml", "milliliter milliliters millilitre millilitres"),
    ("volume", "1000", "m³", "m3 cubic_meter cubic_meters cubic_metres kubikmeter"),
    ("volume", "3.785411784", "US gal", "gal gallon gallons us_gallon us_gallons"),
    ("volume", "4.54609", "imp gal", "imperial_gallon imperial_gallons uk_gallons"),
    ("volume", "0.473176473", "US pt", "pint pints"),
    ("volume", "0.2365882365", "US cup", "cup cups"),
    ("volume", "0.0295735295625", "US fl oz", "fl_oz fluid_ounce fluid_ounces"),
)
_CELSIUS = Unit("temperature", "°C", Fraction(1), Fraction("273.15"))
_FAHRENHEIT = Unit(
    "temperature", "°F", Fraction(5, 9), Fraction("273.15") - Fraction(32) * Fraction(5, 9)
)
_KELVIN = Unit("temperature", "K", Fraction(1))
UNITS: dict[str, Unit] = {
    spelling.replace("_", " "): Unit(kind, name, Fraction(factor))
    for kind, factor, name, spellings in _TABLE
    for spelling in (name.lower(), *spellings.split())
} | {
    "c": _CELSIUS,
    "°c": _CELSIUS,
    "celsius": _CELSIUS,
    "f": _FAHRENHEIT,
    "°f": _FAHRENHEIT,
    "fahrenheit": _FAHRENHEIT,
    "k": _KELVIN,
    "kelvin": _KELVIN,
}
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_NAME = rf"(?:degrees? |grad )?(?P<{{}}>{_UNIT})"
_VALUE = r"(?P<value>an? |one |ein\w* |-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d{1,2})?) ?"
_TO = re.compile(
    r"(?:(?:what(?:'s| is| are)|convert|how much is|was (?:ist|sind)|wie viel (?:ist|sind)|rechne) )?"
    + _VALUE
    + _NAME.format("source")
    + r" (?:in|to|into|as|nach|=|is how many|equals how many) (?:um )?"
    + _NAME.format("target")
)
_HOW_MANY = re.compile(
    r"(?:how many|how much|wie viele?) "
    + _NAME.format("target")
    + r" (?:are there in|are in|is in|are|is|in|make|sind(?: in)?|hat) "
    + _VALUE
    + _NAME.format("source")
)


def units(question: Question) -> str | None:
    """The answer to a question that converts one unit to another; None when it does not."""
    match = _TO.fullmatch(question.line) or _HOW_MANY.fullmatch(question.line)
    if match is None:
        return None
    source, target = UNITS[match["source"]], UNITS[match["target"]]
    if source.kind != target.kind:
        reason = f"{source.name} measures {source.kind}, {target.name} {target.kind}"
        return f"That cannot be converted: {reason}.\n\n{TOOL}"
    value = _number(match["value"])
    base = value * source.factor + source.offset
    if source.kind == "temperature" and base < 0:
        return f"There is no temperature below 0 K (-273.15 °C).\n\n{TOOL}"
    digits, exact = decimal((base - target.offset) / target.factor)
    shown, _ = decimal(value)
    return f"{shown} {source.name} {'=' if exact else '≈'} {digits} {target.name}\n\n{TOOL}"


def _number(text: str) -> Fraction:
    digits = text.strip().replace(",", "")
    return Fraction(digits) if digits[-1].isdecimal() else Fraction(1)
