"""Wire classes as JSON Schema, in the dialect of OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs

Schema = dict[str, Any]
#: the classes a union stands for by the value of ``type``; None: any other value
Variants = Mapping[Any, Mapping[str | None, type[attrs.AttrsInstance]]]

_SIMPLE = {str: "string", bool: "boolean", int: "integer", float: "number", NoneType: "null"}


class Schemas:
    """The schemas of classes and of all that they refer to, by name, in *components*.

    *variants* are the unions that a field ``type`` tells apart, *names* the classes that go by
    another name than their own.
    """

    def __init__(self, variants: Variants, names: Mapping[type, str]) -> None:
        self._variants = variants
        self._names = names
        self._named: dict[str, type] = {}
        self.components: dict[str, Schema] = {}

    def of(self, shape: Any) -> Schema:
        """The schema of a type as a field is annotated with it."""
        if shape in self._variants:
            return self._tagged(self._variants[shape])
        if shape in _SIMPLE:
            return {"type": _SIMPLE[shape]}
        if attrs.has(shape):
            return self.component(shape)
        arguments = get_args(shape)
        match get_origin(shape):
            case origin if origin is Union or origin is UnionType:
                return self._union(arguments)
            case origin if origin is Literal:
                return {"type": "string", "enum": list(arguments)}
            case origin if origin is list:
                return {"type": "array", "items": self.of(arguments[0])}
            case origin if origin is dict:
                items = arguments[1]
                return {"type": "object"} | (
                    {} if items is Any else {"additionalProperties": self.of(items)}
                )
        raise TypeError(f"no schema for {shape}")

    def component(self, cls: type[attrs.AttrsInstance], tag: str | None = None) -> Schema:
        """A reference to the schema of *cls*; with *tag*, that is what its ``type`` must be.

        ValueError when another class has its name.
        """
        name = self._names.get(cls, cls.__name__.strip("_"))
        if self._named.setdefault(name, cls) is not cls:
            raise ValueError(f"two classes are called {name}: {cls}, {self._named[name]}")
        if name not in self.components:
            self.components[name] = {}  # for those that refer to themselves
            self.components[name] = self._object(cls, tag)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, cls: type[attrs.AttrsInstance], tag: str | None) -> Schema:
        hints = get_type_hints(cls)
        fields = attrs.fields(cls)
        properties = {field.name: self.of(hints[field.name]) for field in fields}
        required = [field.name for field in fields if field.default is attrs.NOTHING]
        if tag is not None:
            properties = {"type": {"const": tag}, **properties}
            required.insert(0, "type")
        schema: Schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        return schema

    def _union(self, shapes: tuple[Any, ...]) -> Schema:
        schemas = [self.of(shape) for shape in shapes]
        if all(schema.keys() == {"type"} for schema in schemas):
            return {"type": [schema["type"] for schema in schemas]}
        return {"anyOf": schemas}

    def _tagged(self, classes: Mapping[str | None, type[attrs.AttrsInstance]]) -> Schema:
        tags = [tag for tag in classes if tag is not None]
        schemas = [self.component(classes[tag], tag) for tag in tags]
        if None in classes:
            other = {"type": "string", "not": {"enum": tags}}
            schemas.append(
                {
                    "type": "object",
                    "description": "Of any other type; handed on as it is.",
                    "properties": {"type": other},
                    "required": ["type"],
                }
            )
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
