"""What a client asks for besides a chat: embeddings, completions of a text, moderation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .errors import UpstreamError
from .events import EventStream, Passthrough, Usage
from .models import Capability
from .requests import NO_ROUTING, ChatRequest, Routing, Sampling
from .tokens import TokenCount

if TYPE_CHECKING:
    from .provider import CallContext, Provider

#: of a caller who leaves it to the provider
NO_WISHES = Sampling()
#: a text, or its tokens
Prompt = str | list[int]


@attrs.frozen(kw_only=True)
class Operation:
    """A request that is no chat; it goes the way of all requests, up to the provider's method.

    *raw* is its JSON as it came in, without the fields that are for this gateway.
    """

    dialect: ClassVar[str]

    model: str = ""
    stream: bool = False
    routing: Routing = NO_ROUTING
    raw: dict[str, Any] = attrs.field(factory=dict, repr=False)

    @property
    def needs(self) -> Capability:
        """The flags a provider must have to answer it."""
        raise NotImplementedError

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens the provider reads."""
        raise NotImplementedError

    @property
    def answer_tokens(self) -> int | None:
        """The most tokens that the answer may have; None where the request does not say."""
        return 0

    def begin(self, provider: Provider, ctx: CallContext) -> EventStream:
        """The events of the answer, by the provider's method for it."""
        raise NotImplementedError


#: anything that a client may ask a model for
Request = ChatRequest | Operation


@attrs.frozen
class Embeddings:
    """The *vectors* for the texts of a request, in their order.

    Each is a list of numbers, or these as little-endian 32-bit floats in Base64. *body* is the
    upstream's own answer where that is of OpenAI's shape and has the encoding asked for: then it is
    handed on as it is.
    """

    vectors: tuple[list[float] | str, ...]
    model: str = ""
    usage: Usage | None = None
    body: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class EmbeddingRequest(Operation):
    """Texts, or their tokens, to be turned into vectors.

    *base64*: the client wants each vector as Base64. *write* makes the body of the response.
    """

    dialect: ClassVar[str] = "openai-embeddings"

    input: tuple[Prompt, ...]
    base64: bool = False
    dimensions: int | None = None
    write: Callable[[EmbeddingRequest, Embeddings], bytes] = attrs.field(repr=False, eq=False)

    @property
    def needs(self) -> Capability:
        """Embeddings."""
        return Capability.EMBEDDINGS

    @property
    def prompt_tokens(self) -> int:
        """Those of all texts together."""
        return count_prompts(self.input)

    async def begin(self, provider: Provider, ctx: CallContext) -> EventStream:
        """One event with the whole answer."""
        found: object = await provider.embed(self, ctx)
        if not isinstance(found, Embeddings) or len(found.vectors) != len(self.input):
            raise UpstreamError(
                f"{ctx.provider} gave no vector for each of {len(self.input)} inputs",
                provider=ctx.provider,
            )
        usage = found.usage or Usage(self.prompt_tokens, estimated=True)
        try:
            body = self.write(self, attrs.evolve(found, usage=usage))
        except ValueError as error:
            raise UpstreamError(
                f"{ctx.provider} sent a broken vector: {error}", provider=ctx.provider
            ) from None
        yield Passthrough(body, usage, last=True)


@attrs.frozen(kw_only=True)
class ModerationRequest(Operation):
    """Texts and images to be judged; all of it is in *raw*."""

    dialect: ClassVar[str] = "openai-moderations"

    @property
    def needs(self) -> Capability:
        """Moderation."""
        return Capability.MODERATIONS

    @property
    def prompt_tokens(self) -> int:
        """Those of its texts."""
        match self.raw.get("input"):
            case str(text):
                return count_prompts((text,))
            case list(items):
                return count_prompts(tuple(map(_text, items)))
            case _:
                return 0

    async def begin(self, provider: Provider, ctx: CallContext) -> EventStream:
        """One event with the whole answer."""
        found: object = await provider.moderate(self, ctx)
        if not isinstance(found, bytes):
            raise UpstreamError(f"{ctx.provider} gave no judgement", provider=ctx.provider)
        # nobody counts tokens there
        yield Passthrough(found, Usage(self.prompt_tokens, estimated=True), last=True)


@attrs.frozen(kw_only=True)
class CompletionRequest(Operation):
    """Texts to be continued, ``n`` times each: OpenAI's older API.

    *logprobs*: the log probability of each token, and of so many others in its place. *include_usage*
    is as in a chat. Who has no such API gets chats (``as_chats``). *singly*: one for each choice, as
    the provider gives no more.
    """

    dialect: ClassVar[str] = "openai-completions"

    prompts: tuple[Prompt, ...]
    n: int = 1
    sampling: Sampling = NO_WISHES
    suffix: str | None = None
    echo: bool = False
    best_of: int | None = None
    logprobs: int | None = None
    include_usage: bool | None = None
    singly: bool = False

    @property
    def needs(self) -> Capability:
        """What a chat for it would need."""
        needs = Capability.CHAT
        if self.n > 1:
            needs |= Capability.SEVERAL_CHOICES
        if self.logprobs is not None:
            needs |= Capability.LOGPROBS
        return needs

    @property
    def prompt_tokens(self) -> int:
        """Those of all prompts together."""
        return count_prompts(self.prompts)

    @property
    def answer_tokens(self) -> int | None:
        """Those of all choices together."""
        most = self.sampling.max_tokens
        return None if most is None else max(0, most) * len(self.prompts) * max(self.n, 1)

    def begin(self, provider: Provider, ctx: CallContext) -> EventStream:
        """The events of ``Provider.complete``."""
        return provider.complete(self, ctx)


def count_prompts(prompts: tuple[Prompt, ...]) -> int:
    """About how many tokens they have together."""
    count, known = TokenCount(), 0
    for prompt in prompts:
        if isinstance(prompt, str):
            count = count.plus(prompt)
        else:
            known += len(prompt)
    return count.tokens + known


def _text(item: object) -> str:
    """What an item of a moderation's input says."""
    match item:
        case str(text) | {"text": str(text)}:
            return text
        case _:
            return ""
