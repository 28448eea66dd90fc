"""How values of one type are kept in a parameter node: the base of all serializers, and those of plain values and nodes."""

from __future__ import annotations

import abc
import enum
import pathlib
import typing
from typing import Any

import slicer

from .annotations import splitAnnotations, take
from .validators import IsInstance, IsNone, NotNone, Validator

_registered: list[type[Serializer]] = []


class Serializer(abc.ABC):
    """Reads and writes the values of one type."""

    @staticmethod
    @abc.abstractmethod
    def canSerialize(type_: Any) -> bool:
        """Return whether values of the type are written by this class."""

    @staticmethod
    @abc.abstractmethod
    def create(type_: Any) -> Serializer | None:
        """Return the serializer of the type."""

    @abc.abstractmethod
    def default(self) -> Any:
        """Return the value where no other default is given."""

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return parameterNode.HasParameter(name)

    @abc.abstractmethod
    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        """Store the value."""

    @abc.abstractmethod
    def read(self, parameterNode: Any, name: str) -> Any:
        """Return the stored value."""

    def remove(self, parameterNode: Any, name: str) -> None:
        parameterNode.UnsetParameter(name)

    def supportsCaching(self) -> bool:
        """Return whether a value can be kept: it is immutable, or writes its own changes."""
        return False


class ValidatedSerializer(Serializer):
    """A serializer whose values are validated before they are written; nested ones become one."""

    def __init__(self, serializer: Serializer, validators: list[Validator]) -> None:
        inner = serializer.validators if isinstance(serializer, ValidatedSerializer) else []
        self.serializer = serializer.serializer if isinstance(serializer, ValidatedSerializer) else serializer
        self.validators = [*inner, *validators]

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return False

    @staticmethod
    def create(type_: Any) -> Serializer | None:
        raise TypeError("A ValidatedSerializer wraps another and is made of no type")

    def default(self) -> Any:
        return self.serializer.default()

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self.serializer.isIn(parameterNode, name)

    def validate(self, value: Any) -> None:
        for validator in self.validators:
            validator.validate(value)

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        self.validate(value)
        self.serializer.write(parameterNode, name, value)

    def read(self, parameterNode: Any, name: str) -> Any:
        return self.serializer.read(parameterNode, name)

    def remove(self, parameterNode: Any, name: str) -> None:
        self.serializer.remove(parameterNode, name)

    def supportsCaching(self) -> bool:
        return self.serializer.supportsCaching()


def parameterNodeSerializer(classtype: type[Serializer] | None = None) -> Any:
    """Register a serializer; used as @parameterNodeSerializer or @parameterNodeSerializer()."""

    def register(cls: type[Serializer]) -> type[Serializer]:
        if not issubclass(cls, Serializer):
            raise TypeError("A serializer derives from Serializer.")
        _registered.append(cls)
        return cls

    return register if classtype is None else register(classtype)


def createSerializer(type_: Any, annotations: Any) -> tuple[ValidatedSerializer, list[Any]]:
    """Return the serializer of a type with its validators, and the annotations not used."""
    validators, annotations = take(annotations, Validator)
    serializers, annotations = take(annotations, Serializer)
    if len(serializers) > 1:
        raise TypeError("Several serializers take this type")
    serializer = serializers[0] if serializers else _find(type_)
    return ValidatedSerializer(serializer, validators), annotations


def serializer_of(annotated_type: Any) -> ValidatedSerializer:
    """Return the serializer of a type that may be annotated."""
    return createSerializer(*splitAnnotations(annotated_type))[0]


def _find(type_: Any) -> Serializer:
    for cls in _registered:
        if cls.canSerialize(type_):
            created = cls.create(type_)
            if created is not None:
                return created
    raise TypeError(f"No serializer keeps values of type {type_}.")


@parameterNodeSerializer
class NumberSerializer(Serializer):
    def __init__(self, type_: type) -> None:
        self.type = type_

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ in (int, float)

    @staticmethod
    def create(type_: Any) -> Serializer:
        allowed = (int, float) if type_ is float else int
        return ValidatedSerializer(NumberSerializer(type_), [NotNone(), IsInstance(allowed)])

    def default(self) -> Any:
        return 0

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        parameterNode.SetParameter(name, str(value))

    def read(self, parameterNode: Any, name: str) -> Any:
        return self.type(parameterNode.GetParameter(name))

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class StringSerializer(Serializer):
    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is str

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(StringSerializer(), [NotNone(), IsInstance(str)])

    def default(self) -> str:
        return ""

    def write(self, parameterNode: Any, name: str, value: str) -> None:
        parameterNode.SetParameter(name, str(value))

    def read(self, parameterNode: Any, name: str) -> str:
        return parameterNode.GetParameter(name)

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class PathSerializer(Serializer):
    def __init__(self, type_: type) -> None:
        self.type = type_

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return isinstance(type_, type) and issubclass(type_, pathlib.PurePath)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(PathSerializer(type_), [NotNone(), IsInstance(type_)])

    def default(self) -> pathlib.PurePath:
        return self.type()

    def write(self, parameterNode: Any, name: str, value: pathlib.PurePath) -> None:
        parameterNode.SetParameter(name, str(value))

    def read(self, parameterNode: Any, name: str) -> pathlib.PurePath:
        return self.type(parameterNode.GetParameter(name))

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class BoolSerializer(Serializer):
    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is bool

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(BoolSerializer(), [NotNone(), IsInstance(bool)])

    def default(self) -> bool:
        return False

    def write(self, parameterNode: Any, name: str, value: bool) -> None:
        parameterNode.SetParameter(name, "True" if value else "False")

    def read(self, parameterNode: Any, name: str) -> bool:
        return parameterNode.GetParameter(name) == "True"

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class NodeSerializer(Serializer):
    """A node is kept as a node reference, beside an empty parameter that says it was set."""

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return isinstance(type_, type) and issubclass(type_, slicer.vtkMRMLNode)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(NodeSerializer(), [IsInstance(type_)])

    def default(self) -> None:
        return None

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        parameterNode.SetParameter(name, "")
        parameterNode.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, parameterNode: Any, name: str) -> Any:
        return parameterNode.GetNodeReference(name)

    def remove(self, parameterNode: Any, name: str) -> None:
        parameterNode.UnsetParameter(name)
        parameterNode.RemoveNodeReferenceIDs(name)

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class EnumSerializer(Serializer):
    """A member is kept by its name."""

    def __init__(self, type_: type[enum.Enum]) -> None:
        if len(type_) == 0:
            raise ValueError("An Enum without members has no value to keep.")
        self.enum = type_

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return isinstance(type_, type) and issubclass(type_, enum.Enum)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(EnumSerializer(type_), [IsInstance(type_)])

    def default(self) -> enum.Enum:
        return next(iter(self.enum))

    def write(self, parameterNode: Any, name: str, value: enum.Enum) -> None:
        parameterNode.SetParameter(name, value.name)

    def read(self, parameterNode: Any, name: str) -> enum.Enum:
        key = parameterNode.GetParameter(name)
        try:
            return self.enum[key]
        except KeyError as error:
            raise ValueError(f"Found {key!r} in parameter node but it is not a name in {self.enum!r}") from error

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class NoneSerializer(Serializer):
    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is type(None)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(NoneSerializer(), [IsNone()])

    def default(self) -> None:
        return None

    def write(self, parameterNode: Any, name: str, value: None) -> None:
        parameterNode.SetParameter(name, "True")

    def read(self, parameterNode: Any, name: str) -> None:
        return None

    def supportsCaching(self) -> bool:
        return True


@parameterNodeSerializer
class UnionSerializer(Serializer):
    """The value of a union is kept under the index of its type: `name.0` for the first."""

    def __init__(self, serializers: list[ValidatedSerializer]) -> None:
        self._serializers = [ValidatedSerializer(serializer, []) for serializer in serializers]

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is typing.Union

    @staticmethod
    def create(type_: Any) -> Serializer:
        return UnionSerializer([serializer_of(member) for member in typing.get_args(type_)])

    def default(self) -> Any:
        if len(self._serializers) == 2 and isinstance(self._serializers[1].serializer, NoneSerializer):
            return None
        return self._serializers[0].default()

    def _members(self, name: str) -> list[tuple[ValidatedSerializer, str]]:
        return [(serializer, f"{name}.{index}") for index, serializer in enumerate(self._serializers)]

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return any(serializer.isIn(parameterNode, key) for serializer, key in self._members(name))

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        refused: Exception | None = None
        for serializer, key in self._members(name):
            if not serializer.serializer.canSerialize(type(value)):
                continue
            try:
                serializer.validate(value)
            except (TypeError, ValueError) as error:
                refused = error
                continue
            with slicer.util.NodeModify(parameterNode):
                self.remove(parameterNode, name)
                serializer.write(parameterNode, key, value)
            return
        raise refused or TypeError(f"Unable to write value '{value}' of type '{type(value)}'")

    def read(self, parameterNode: Any, name: str) -> Any:
        for serializer, key in self._members(name):
            if serializer.isIn(parameterNode, key):
                return serializer.read(parameterNode, key)
        raise KeyError(f"There is no value of the name {name}.")

    def remove(self, parameterNode: Any, name: str) -> None:
        for serializer, key in self._members(name):
            serializer.remove(parameterNode, key)

    def supportsCaching(self) -> bool:
        return all(serializer.supportsCaching() for serializer in self._serializers)
