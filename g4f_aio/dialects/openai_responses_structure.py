"""A Responses request into its classes, strictly."""

from __future__ import annotations

from typing import Any, cast, get_args

import attrs
import cattrs

from ..core.messages import AudioPart, FilePart, ImagePart, OtherPart, Part, RefusalPart, TextPart
from .openai_responses_schema import (
    ITEMS,
    TOOLS,
    InputAudio,
    InputFile,
    InputImage,
    InputText,
    Item,
    MessageRole,
    NamespaceTool,
    Refusal,
    ResponsesBody,
    Typed,
    Variants,
    WireTool,
)
from .structure import Hook, register, strict_converter, structured, wrong_type


def structure(raw: dict[str, Any]) -> ResponsesBody:
    """The typed fields of a request; BadRequestError with the JSON path of each wrong one.

    The exact converter takes longer, so it only runs to say what the fast one stumbled over.
    """
    try:
        return cast(ResponsesBody, _STRUCTURE(raw, ResponsesBody))
    except Exception:  # noqa: BLE001  (whatever it was, the exact converter describes it)
        return structured(raw, ResponsesBody, _EXACT)


def _type_of(value: Any) -> Any:
    """The type of an item; that of a message, and of a reference, may be left out."""
    if type(value) is not dict:
        raise wrong_type("an object", value)
    if value.get("type") is None:
        if "role" in value:
            return "message"
        if "id" in value and len(value) <= 2:  # noqa: PLR2004  (the id, and perhaps a type of null)
            return "item_reference"
    return value.get("type")


def _known(variants: Variants, kind: Any) -> type[attrs.AttrsInstance]:
    return variants.get(kind, Typed) if type(kind) is str else Typed


def _converter(*, detailed: bool) -> cattrs.Converter:
    converter = strict_converter(detailed=detailed)
    into = converter.structure

    def part(value: Any, _: Any) -> Part:
        if type(value) is not dict:
            raise wrong_type("an object", value)
        match value.get("type"):
            case "input_text" | "output_text":
                return TextPart(into(value, InputText).text)
            case "refusal":
                return RefusalPart(into(value, Refusal).refusal)
            case "input_image":
                image = into(value, InputImage)
                if image.image_url is not None:
                    return ImagePart(image.image_url, image.detail)
                return OtherPart("input_image", value)
            case "input_file":
                file = into(value, InputFile)
                if file.file_data is not None:
                    return FilePart(file.file_data, None, file.filename)
                if file.file_url is not None and file.file_url.startswith(("https://", "http://")):
                    return FilePart(file.file_url, None, file.filename)
                return OtherPart("input_file", value)
            case "input_audio":
                sound = into(value, InputAudio).input_audio
                return AudioPart(sound.data, sound.format)
            case _:
                return OtherPart(into(value, Typed).type, value)

    def item(value: Any, _: Any) -> Item:
        return cast(Item, into(value, _known(ITEMS, _type_of(value))))

    def tool(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise wrong_type("an object", value)
        return into(value, _known(TOOLS, value.get("type")))

    def role(value: Any, _: Any) -> MessageRole:
        if value in _ROLES:
            return cast(MessageRole, value)
        raise ValueError(f"must be one of {', '.join(_ROLES)}")

    def strings(value: Any, _: Any) -> dict[str, str]:
        if type(value) is not dict or any(type(one) is not str for one in value.values()):
            raise wrong_type("an object of strings", value)
        return cast(dict[str, str], value)

    def union(name: str, **kinds: Any) -> Hook:
        """A hook for what is told apart by its JSON type; null only where *kinds* has it."""
        targets = {_TYPES[kind]: target for kind, target in kinds.items()}

        def hook(value: Any, _: Any) -> Any:
            target = targets.get(type(value))
            if target is None:
                raise wrong_type(name, value)
            return value if type(value) is target else into(value, target)

        return hook

    null = type(None)
    for shape, hook in (
        (Part, part),
        (Item, item),
        (WireTool, tool),
        (WireTool | NamespaceTool, tool),
        (MessageRole, role),
        (dict[str, str], strings),
        (str | list[Part], union("a string or an array of parts", text=str, array=list[Part])),
        (
            str | list[Item] | None,
            union("a string or an array of items", text=str, array=list[Item], null=null),
        ),
        (
            str | dict[str, Any] | None,
            union("a string or an object", text=str, object=dict, null=null),
        ),
        (
            str | dict[str, str] | None,
            union("a string or an object of strings", text=str, object=dict[str, str], null=null),
        ),
        (
            bool | str | None,
            union("a boolean or a string", text=str, boolean=bool, null=null),
        ),
    ):
        register(converter, shape, hook)
    return converter


_TYPES = {"text": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
_ROLES = get_args(MessageRole)
_FAST = _converter(detailed=False)
_EXACT = _converter(detailed=True)
_STRUCTURE = _FAST.get_structure_hook(ResponsesBody)
