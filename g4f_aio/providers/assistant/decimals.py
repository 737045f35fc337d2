"""Numbers in and out: exact fractions where possible, and honest about it where not."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

#: what the exact tools compute with; a float is the result of a function such as sin
Number = Fraction | float

_DIGITS = 15
_PLACES = 30


def decimal(value: Number) -> tuple[str, bool]:
    """*value* in digits, and whether that is exact."""
    match value:
        case Fraction():
            exact = _finite(value)
            if exact is not None:
                return exact, True
            return _significant(value), False
        case float():
            return f"{value:.{_DIGITS}g}", False


def equation(left: str, value: Number) -> str:
    """``left = value``, or ``left ≈ value`` when the digits are rounded."""
    digits, exact = decimal(value)
    return f"{left} {'=' if exact else '≈'} {digits}"


def _finite(value: Fraction) -> str | None:
    """The digits of a fraction whose decimals end soon; None for the others."""
    rest = value.denominator
    twos = (rest & -rest).bit_length() - 1
    rest >>= twos
    fives = 0
    while rest % 5 == 0 and fives <= _PLACES:
        rest //= 5
        fives += 1
    places = max(twos, fives)
    if rest != 1 or places > _PLACES:
        return None
    scaled = abs(value.numerator) * 10**places // value.denominator
    digits = str(scaled).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    if places == 0:
        return sign + digits
    return f"{sign}{digits[:-places]}.{digits[-places:]}"


def _significant(value: Fraction) -> str:
    """The leading digits of a fraction, also of one beyond the range of floats."""
    try:
        rounded = float(value)
    except OverflowError:
        rounded = math.inf
    if sys.float_info.min < abs(rounded) < math.inf:
        return f"{rounded:.{_DIGITS}g}"
    sign = "-" if value < 0 else ""
    value = abs(value)
    exponent = len(str(value.numerator)) - len(str(value.denominator))
    mantissa = float(value / Fraction(10) ** exponent)
    if mantissa < 1:
        mantissa, exponent = mantissa * 10, exponent - 1
    return f"{sign}{mantissa:.{_DIGITS}g}e{exponent:+d}"
