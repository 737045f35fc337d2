"""Choosing who answers; never translating."""
