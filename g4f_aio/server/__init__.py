"""Handlers and middlewares: the side towards clients."""
