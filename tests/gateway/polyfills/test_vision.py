"""Images become descriptions, each once, and say that they are."""

from __future__ import annotations

from g4f_aio import Capability, ChatRequest, Message, TextPart
from g4f_aio.core.messages import ImagePart, Origin
from g4f_aio.gateway.polyfills.vision import described, digest, images_of, question

CAT, DOG = ImagePart("data:image/png;base64,Y2F0"), ImagePart("https://example.org/dog.png")
ASKED = ChatRequest(
    "m",
    (
        Message("system", (TextPart("Be brief."),)),
        Message("user", (TextPart("Which is larger?"), CAT, DOG)),
        Message("assistant", (TextPart("The dog."),)),
        Message("user", (CAT, TextPart("And this?"))),
    ),
    raw={"x": 1},
    accept="openai-chat",
)


def test_every_image_is_found_once() -> None:
    assert images_of(ASKED) == (CAT, DOG)
    assert images_of(ChatRequest("m", ())) == ()


def test_the_question_needs_a_model_that_sees() -> None:
    asked = question(CAT, "eye:m", 3.0)
    assert (asked.model, asked.routing.emulate, asked.routing.timeout) == ("eye:m", False, 3.0)
    assert Capability.VISION in asked.needs
    assert asked.messages[0].parts[1] == CAT


def test_a_description_takes_the_place_of_each_image() -> None:
    found = described(ASKED, {CAT: "A {cat}.", DOG: "A dog."})
    assert found.needs == Capability.CHAT
    assert (found.raw, found.accept) == (None, None)
    system, first, assistant, second = found.messages
    assert (system, assistant) == (ASKED.messages[0], ASKED.messages[2])
    text, cat, dog = first.parts
    assert text == TextPart("Which is larger?")
    assert isinstance(cat, TextPart)
    assert isinstance(dog, TextPart)
    assert cat.text == (
        "[Image 1, which you cannot see. This is a description of it by another model:\nA {cat}.]"
    )
    assert "Image 2" in dog.text
    assert "A dog." in dog.text
    assert second.parts == (cat, TextPart("And this?"))


def test_a_message_no_longer_goes_out_as_it_came_in() -> None:
    message = ASKED.messages[1]
    of = (message.role, message.parts, message.tool_calls, message.tool_call_id)
    origin = Origin("openai-chat", {"role": "user"}, of)
    came = ChatRequest("m", (Message("user", message.parts, origin=origin),))
    assert came.messages[0].wire("openai-chat") is not None
    found = described(came, {CAT: "A cat.", DOG: "A dog."})
    assert found.messages[0].wire("openai-chat") is None


def test_an_image_is_known_again_by_its_content_alone() -> None:
    assert digest(CAT) == digest(ImagePart(CAT.url))
    assert digest(CAT) != digest(ImagePart(CAT.url, "low"))
    assert digest(CAT) != digest(ImagePart(CAT.url + "AA"))
    assert digest(DOG) is None
