"""Wire formats, sans-I/O: bytes and JSON in, values out, and back."""
