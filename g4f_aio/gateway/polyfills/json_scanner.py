"""One JSON value read as it comes, checked to the last character."""

from __future__ import annotations

import re

import orjson

#: how deep a value may be nested
DEEPEST = 100
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_SPACE = " \t\r\n"
_HEX = frozenset("0123456789abcdefABCDEF")
_VALUE, _VALUE_OR_END, _KEY, _KEY_OR_END, _COLON, _MORE_OR_END = range(6)
_ENDS = {"{": "}", "[": "]"}


class JsonScanner:
    """Takes a value in any pieces; ``done`` when it is complete. ValueError for what is no JSON.

    Line ends and other control characters in strings, which JSON forbids and models write, are
    escaped on the way.
    """

    def __init__(self) -> None:
        self.done = False
        self._open: list[str] = []
        self._expected = _VALUE
        #: in a string: what its next character is, ``plain``, ``escaped`` or a count of hex digits
        self._string: str | int | None = None
        self._is_key = False
        #: a number or a word that may go on
        self._token = ""

    def feed(self, text: str) -> tuple[str, int]:
        """The JSON in *text*, and how many characters of it belong to the value."""
        out: list[str] = []
        at = 0
        while at < len(text) and not self.done:
            if self._string == "plain":
                end = _PLAIN.match(text, at).end()  # type: ignore[union-attr]  # it always matches
                out.append(text[at:end])
                at = end
                if at == len(text):
                    break
            character = text[at]
            if self._string is not None:
                out.append(self._in_string(character))
            elif self._token and not self._ends_token(character):
                self._token += character
                out.append(character)
            else:
                # what ends a number may be what follows the value
                self._between(character)
                out.append(character)
            at += 1
        return "".join(out), at

    def _in_string(self, character: str) -> str:
        match self._string:
            case "plain":
                if character == '"':
                    self._string = None
                    self._expected = _COLON if self._is_key else _MORE_OR_END
                    self._closed_value()
                elif character == "\\":
                    self._string = "escaped"
                else:
                    return f"\\u{ord(character):04x}"
            case "escaped":
                if character not in '"\\/bfnrtu':
                    raise ValueError(f"\\{character} in a string")
                self._string = 4 if character == "u" else "plain"
            case int(digits):
                if character not in _HEX:
                    raise ValueError(f"{character!r} in a Unicode escape")
                self._string = digits - 1 or "plain"
            case _:  # pragma: no cover
                raise AssertionError(self._string)
        return character

    def _ends_token(self, character: str) -> bool:
        if character not in _SPACE and character not in ",]}":
            if len(self._token) >= DEEPEST:
                raise ValueError("an overlong number")
            return False
        orjson.loads(self._token)  # a ValueError when it is none
        self._token = ""
        self._expected = _MORE_OR_END
        return True

    def _between(self, character: str) -> None:
        if character in _SPACE:
            return
        expected = self._expected
        if character in "}]":
            if not self._open or _ENDS[self._open[-1]] != character:
                raise ValueError(f"{character} closes nothing")
            if expected not in (_MORE_OR_END, _VALUE_OR_END, _KEY_OR_END):
                raise ValueError(f"{character} where something is missing")
            self._open.pop()
            self._expected = _MORE_OR_END
            self._closed_value()
        elif character == "," and expected == _MORE_OR_END and self._open:
            self._expected = _KEY if self._open[-1] == "{" else _VALUE
        elif character == ":" and expected == _COLON:
            self._expected = _VALUE
        elif character == '"' and expected in (_KEY, _KEY_OR_END, _VALUE, _VALUE_OR_END):
            self._is_key = expected in (_KEY, _KEY_OR_END)
            self._string = "plain"
        elif expected not in (_VALUE, _VALUE_OR_END):
            raise ValueError(f"{character!r} out of place")
        elif character in "{[":
            if len(self._open) >= DEEPEST:
                raise ValueError("nested too deep")
            self._open.append(character)
            self._expected = _KEY_OR_END if character == "{" else _VALUE_OR_END
        elif self._open and character in "-0123456789tfn":
            self._token = character
        else:
            raise ValueError(f"{character!r} out of place")

    def _closed_value(self) -> None:
        self.done = not self._open
