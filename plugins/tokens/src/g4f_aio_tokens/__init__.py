"""Tokens counted by tiktoken, with the ranks of OpenAI's encodings on board: nothing is fetched."""

from .tokenizer import Tokenizer

__all__ = ["Tokenizer"]
