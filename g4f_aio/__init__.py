"""One light process between every OpenAI client and every model you can reach."""

__version__ = "0.1.0"
