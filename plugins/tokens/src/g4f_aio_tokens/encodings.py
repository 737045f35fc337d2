"""OpenAI's encodings, built from files that come with this package.

tiktoken itself fetches the ranks when it is first used; only its engine is used here. A file has the
number of tokens in four bytes, then the length of each in one byte, then the tokens by their rank.
"""

from __future__ import annotations

import lzma
from functools import cache
from importlib.resources import files
from itertools import accumulate, pairwise
from types import MappingProxyType

from tiktoken import Encoding

#: how each encoding cuts a text before its ranks count, as tiktoken_ext/openai_public.py says
PATTERNS = MappingProxyType(
    {
        "cl100k_base": (
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
            r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
        ),
        "o200k_base": (
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
            r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        ),
    }
)


def ranks(name: str) -> dict[bytes, int]:
    """The tokens of an encoding and their ranks."""
    packed = files(__package__).joinpath(f"{name}.xz").read_bytes()
    data = lzma.decompress(packed)
    count = int.from_bytes(data[:4], "big")
    start = 4 + count
    ends = accumulate(data[4:start], initial=start)
    return {data[begin:end]: rank for rank, (begin, end) in enumerate(pairwise(ends))}


@cache
def encoding(name: str) -> Encoding:
    """An encoding without its special tokens, which no text has.

    It takes about half a second and 100 MB, once in a process.
    """
    return Encoding(name, pat_str=PATTERNS[name], mergeable_ranks=ranks(name), special_tokens={})
