"""For the tests of plug-ins: an upstream to talk to, and the contract that a provider must keep.

    async with FakeUpstream({"/ask": Answer.stream("Hello\\n", "world\\n")}) as upstream:
        await check_provider(Acme, upstream=upstream)

It works with any test runner; nothing in here is imported by the server.
"""

from .answer import Answer
from .call import ask, call_context
from .contract import check_provider
from .upstream import FakeUpstream, Received

__all__ = ["Answer", "FakeUpstream", "Received", "ask", "call_context", "check_provider"]
