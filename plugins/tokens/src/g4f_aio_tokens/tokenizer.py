"""What the gateway asks: how many tokens texts have for a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tiktoken.model import encoding_name_for_model

from .encodings import PATTERNS, encoding

#: that of OpenAI's newer models; what other models have is nearer to it than any estimate
DEFAULT = "o200k_base"
#: characters that are counted at one time, so that no text is too much for the engine's patterns
PIECE = 2**16


class Tokenizer:
    """Counts by OpenAI's encodings, each of which is read when it is first needed.

    Threads may share it.
    """

    def count(self, texts: Iterable[str], model: str) -> int:
        """How many tokens *texts* have together for *model*. It blocks, and uses no network."""
        found = encoding(encoding_of(model))
        return sum(len(found.encode_ordinary(piece)) for text in texts for piece in _pieces(text))


def encoding_of(model: str) -> str:
    """The encoding that counts for a model of any vendor, by its name.

    ``openai/gpt-4`` and ``gpt-4:free`` are what they are called by some.
    """
    name = model.lower().rpartition("/")[2]
    if not name.startswith("ft:"):
        name = name.partition(":")[0]
    try:
        known = encoding_name_for_model(name)
    except KeyError:
        return DEFAULT
    return known if known in PATTERNS else DEFAULT


def _pieces(text: str) -> Iterator[str]:
    for begin in range(0, len(text), PIECE):
        yield text[begin : begin + PIECE]
