"""The quickest ways to a language model."""

from __future__ import annotations

WAYS = """\
1. Ollama, on this machine, free of charge: install it from https://ollama.com, then

   ```sh
   ollama pull llama3.2
   ```

   The gateway finds it by itself within a minute.
2. An API key in the environment of the gateway, for example of OpenAI (others: `OPENROUTER_API_KEY`, \
`GROQ_API_KEY`, `MISTRAL_API_KEY` …):

   ```sh
   export OPENAI_API_KEY=sk-...
   python -m g4f_aio
   ```
3. Any server with an OpenAI-compatible API, as a table in `gateway.toml`:

   ```toml
   [providers.work]
   type = "openai-compatible"
   base_url = "http://127.0.0.1:8000/v1"
   ```"""
