"""Arithmetic from an allow-listed syntax tree, bounded in size, depth and time."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from fractions import Fraction

import attrs

from .decimals import Number

#: numbers may have this many bits, about 1,200 digits
BITS = 4000
LENGTH = 2000
DEPTH = 300
_FACTORIAL = 500
_PLACES = 100


class CalculatorError(Exception):
    """Why an expression has no answer, as a sentence for the user."""


def _sqrt(value: Number) -> Number:
    if value < 0:
        raise CalculatorError("the square root of a negative number is not real")
    if isinstance(value, Fraction):
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if (top * top, bottom * bottom) == (value.numerator, value.denominator):
            return Fraction(top, bottom)
    return math.sqrt(value)


def _integer(value: Number, name: str) -> int:
    if value != int(value):
        raise CalculatorError(f"{name} needs whole numbers")
    return int(value)


def _factorial(value: Number) -> Number:
    if not 0 <= value <= _FACTORIAL:
        raise CalculatorError(f"factorial works from 0 to {_FACTORIAL}")
    return Fraction(math.factorial(_integer(value, "factorial")))


def _round(value: Number, places: Number = Fraction(0)) -> Number:
    if not -_PLACES <= places <= _PLACES:
        raise CalculatorError(f"round works to at most {_PLACES} places")
    digits = _integer(places, "the number of places in round")
    if isinstance(value, Fraction):
        return Fraction(round(value, digits))
    return round(value, digits)


def _log(value: Number, base: Number = math.e) -> Number:
    return math.log(value, base)


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        size = max(base.numerator.bit_length(), base.denominator.bit_length())
        if abs(base) not in (0, 1) and size * abs(exponent) > BITS * 2:
            raise CalculatorError(_TOO_LARGE)
        return Fraction(base**exponent)
    if base < 0:
        raise CalculatorError("a negative number to a broken power is not real")
    return math.pow(base, exponent)


def _mean(*values: Number) -> Number:
    return sum(values) / len(values)


def _float(function: Callable[[float], float]) -> Callable[[Number], Number]:
    return lambda value: function(float(value))


def _whole(name: str, function: Callable[..., int]) -> Callable[..., Number]:
    return lambda *values: Fraction(function(*(_integer(value, name) for value in values)))


_UNREADABLE = "I cannot read that as an expression"
_TOO_LARGE = "that number is too large: this calculator stops at about 1,200 digits"
_MANY = 100
#: name: the function, and how few and how many arguments it takes
FUNCTIONS: dict[str, tuple[Callable[..., Number], int, int]] = {
    "abs": (abs, 1, 1),
    "round": (_round, 1, 2),
    "floor": (lambda value: Fraction(math.floor(value)), 1, 1),
    "ceil": (lambda value: Fraction(math.ceil(value)), 1, 1),
    "min": (lambda *values: min(values), 1, _MANY),
    "max": (lambda *values: max(values), 1, _MANY),
    "sum": (lambda *values: Fraction(0) + sum(values), 1, _MANY),
    "mean": (_mean, 1, _MANY),
    "average": (_mean, 1, _MANY),
    "sqrt": (_sqrt, 1, 1),
    "pow": (_power, 2, 2),
    "factorial": (_factorial, 1, 1),
    "gcd": (_whole("gcd", math.gcd), 2, _MANY),
    "lcm": (_whole("lcm", math.lcm), 2, 10),
    "exp": (_float(math.exp), 1, 1),
    "ln": (_float(math.log), 1, 1),
    "log": (_log, 1, 2),
    "log2": (_float(math.log2), 1, 1),
    "log10": (_float(math.log10), 1, 1),
    "sin": (_float(math.sin), 1, 1),
    "cos": (_float(math.cos), 1, 1),
    "tan": (_float(math.tan), 1, 1),
    "asin": (_float(math.asin), 1, 1),
    "acos": (_float(math.acos), 1, 1),
    "atan": (_float(math.atan), 1, 1),
    "degrees": (_float(math.degrees), 1, 1),
    "radians": (_float(math.radians), 1, 1),
}
CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e, "tau": math.tau}
_BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: Fraction(left // right),
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_UNARY: dict[type[ast.unaryop], Callable[[Number], Number]] = {
    ast.UAdd: lambda value: value,
    ast.USub: lambda value: -value,
}


@attrs.frozen
class Expression:
    """A syntax tree and the text it was made from."""

    source: str
    tree: ast.expr

    @classmethod
    def parse(cls, source: str) -> Expression:
        """The expression in *source*; CalculatorError when it is none."""
        if len(source) > LENGTH:
            raise CalculatorError(f"that is longer than {LENGTH} characters")
        try:
            return cls(source, ast.parse(source, mode="eval").body)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise CalculatorError(_UNREADABLE) from None

    @property
    def computes(self) -> bool:
        """Whether there is anything to compute in it: a bare number is no question."""
        return any(isinstance(node, ast.BinOp | ast.Call) for node in ast.walk(self.tree))

    def value(self) -> Number:
        """What it comes to; CalculatorError says why there is no such number."""
        try:
            return self._value(self.tree, 0)
        except ZeroDivisionError:
            raise CalculatorError("that divides by zero") from None
        except OverflowError:
            raise CalculatorError(_TOO_LARGE) from None
        except (ArithmeticError, ValueError):
            raise CalculatorError("a function is not defined for that number") from None

    def _value(self, node: ast.expr, depth: int) -> Number:
        if depth > DEPTH:
            raise CalculatorError("that is nested too deeply")
        match node:
            case ast.Constant(value=int() | float()):
                return _literal(self.source[node.col_offset : node.end_col_offset])
            case ast.Name(id=name) if name in CONSTANTS:
                return CONSTANTS[name]
            case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
                return _UNARY[type(sign)](self._value(operand, depth + 1))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _BINARY:
                values = self._value(left, depth + 1), self._value(right, depth + 1)
                return _bounded(_BINARY[type(sign)](*values))
            case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if name in FUNCTIONS:
                function, fewest, most = FUNCTIONS[name]
                if not fewest <= len(given) <= most:
                    raise CalculatorError(f"{name} takes {_amount(fewest, most)}")
                return _bounded(function(*(self._value(item, depth + 1) for item in given)))
            case _:
                raise CalculatorError(_UNREADABLE)


def _literal(digits: str) -> Number:
    """The number as it is written, which a float might not be."""
    _, _, exponent = digits.partition("e")
    if exponent and abs(int(exponent)) > BITS // 4:
        raise CalculatorError(_TOO_LARGE)
    return Fraction(digits)


def _bounded(value: Number) -> Number:
    match value:
        case Fraction():
            if max(value.numerator.bit_length(), value.denominator.bit_length()) > BITS:
                raise CalculatorError(_TOO_LARGE)
        case float():
            if not math.isfinite(value):
                raise CalculatorError(_TOO_LARGE)
    return value


def _amount(fewest: int, most: int) -> str:
    if fewest == most:
        return f"{fewest} number" + ("s" if fewest > 1 else "")
    return f"{fewest} to {most} numbers"
