"""Microsoft Copilot as a provider for g4f_aio, with the user's own browser session."""

from .provider import Copilot

__all__ = ["Copilot"]
