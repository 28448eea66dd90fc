"""Serializers of lists, tuples and dictionaries: each element is kept under a name of its own."""

from __future__ import annotations

import collections.abc
import typing
from typing import Any

import slicer

from .serializers import Serializer, ValidatedSerializer, parameterNodeSerializer, serializer_of


class ObservedList(collections.abc.MutableSequence):
    """A list whose every change is written to the parameter node; + and * are not supported, += and append are."""

    def __init__(self, parameterNode: Any, serializer: ListSerializer, name: str, values: list[Any]) -> None:
        self._parameterNode = parameterNode
        self._serializer = serializer
        self._name = name
        self._list = values

    def __repr__(self) -> str:
        return f"ObservedList({self._list})"

    def __eq__(self, other: object) -> bool:
        return self._list == (other._list if isinstance(other, ObservedList) else other)

    __hash__ = None

    def __len__(self) -> int:
        return len(self._list)

    def __getitem__(self, index: Any) -> Any:
        return self._list[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._list[index] = value
        self._save()

    def __delitem__(self, index: Any) -> None:
        del self._list[index]
        self._save()

    def insert(self, index: int, value: Any) -> None:
        self._list.insert(index, value)
        self._save()

    def extend(self, values: Any) -> None:
        self._list.extend(values)
        self._save()

    def clear(self) -> None:
        self._list.clear()
        self._save()

    def sort(self, **keywords: Any) -> None:
        self._list.sort(**keywords)
        self._save()

    def __imul__(self, factor: int) -> ObservedList:
        self._list *= factor
        self._save()
        return self

    def __add__(self, other: Any) -> Any:
        raise NotImplementedError("An ObservedList cannot be added to another list; extend it with +=.")

    __radd__ = __add__

    def __mul__(self, other: Any) -> Any:
        raise NotImplementedError("An ObservedList cannot be repeated into a new list; repeat it in place with *=.")

    __rmul__ = __mul__

    def _save(self) -> None:
        try:
            self._serializer.write(self._parameterNode, self._name, self._list)
        finally:
            self._list = self._serializer.read(self._parameterNode, self._name)._list


class ObservedDict(collections.abc.MutableMapping):
    """A dictionary whose every change is written to the parameter node."""

    def __init__(self, parameterNode: Any, serializer: DictSerializer, name: str, values: dict[Any, Any]) -> None:
        self._parameterNode = parameterNode
        self._serializer = serializer
        self._name = name
        self._dict = values

    def __repr__(self) -> str:
        return f"ObservedDict({self._dict})"

    def __eq__(self, other: object) -> bool:
        return self._dict == (other._dict if isinstance(other, ObservedDict) else other)

    __hash__ = None

    def __len__(self) -> int:
        return len(self._dict)

    def __iter__(self) -> Any:
        return iter(self._dict)

    def __getitem__(self, key: Any) -> Any:
        return self._dict[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._dict[key] = value
        self._save()

    def __delitem__(self, key: Any) -> None:
        del self._dict[key]
        self._save()

    # Without a default, as in Slicer.
    def get(self, key: Any) -> Any:
        return self._dict.get(key)

    def pop(self, key: Any) -> Any:
        value = self._dict.pop(key)
        self._save()
        return value

    def popitem(self) -> Any:
        item = self._dict.popitem()
        self._save()
        return item

    def _save(self) -> None:
        try:
            self._serializer.write(self._parameterNode, self._name, self._dict)
        finally:
            self._dict = self._serializer.read(self._parameterNode, self._name)._dict


@parameterNodeSerializer
class ListSerializer(Serializer):
    """The length is kept as `name.len`, the elements as `name.0` and so on."""

    def __init__(self, elementSerializer: Serializer) -> None:
        self._element = elementSerializer

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is list or type_ is list

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ListSerializer(serializer_of(*(typing.get_args(type_) or (Any,))))

    def default(self) -> list[Any]:
        return []

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return parameterNode.HasParameter(f"{name}.len")

    def _length(self, parameterNode: Any, name: str) -> int:
        return int(parameterNode.GetParameter(f"{name}.len")) if self.isIn(parameterNode, name) else 0

    def write(self, parameterNode: Any, name: str, values: Any) -> None:
        with slicer.util.NodeModify(parameterNode):
            before = list(self.read(parameterNode, name)) if self.isIn(parameterNode, name) else None
            try:
                self._write_elements(parameterNode, name, values)
            except Exception:
                if before is None:
                    self.remove(parameterNode, name)
                else:
                    self._write_elements(parameterNode, name, before)
                raise

    def _write_elements(self, parameterNode: Any, name: str, values: Any) -> None:
        length_before = self._length(parameterNode, name)
        for index, value in enumerate(values):
            self._element.write(parameterNode, f"{name}.{index}", value)
        parameterNode.SetParameter(f"{name}.len", str(len(values)))
        for index in range(len(values), length_before):
            self._element.remove(parameterNode, f"{name}.{index}")

    def read(self, parameterNode: Any, name: str) -> ObservedList:
        length = self._length(parameterNode, name)
        values = [self._element.read(parameterNode, f"{name}.{index}") for index in range(length)]
        return ObservedList(parameterNode, self, name, values)

    def remove(self, parameterNode: Any, name: str) -> None:
        for index in range(self._length(parameterNode, name)):
            self._element.remove(parameterNode, f"{name}.{index}")
        parameterNode.UnsetParameter(f"{name}.len")

    def supportsCaching(self) -> bool:
        return self._element.supportsCaching()


@parameterNodeSerializer
class TupleSerializer(Serializer):
    def __init__(self, serializers: list[ValidatedSerializer]) -> None:
        self._serializers = serializers

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is tuple

    @staticmethod
    def create(type_: Any) -> Serializer:
        return TupleSerializer([serializer_of(member) for member in typing.get_args(type_)])

    def default(self) -> tuple[Any, ...]:
        return tuple(serializer.default() for serializer in self._serializers)

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self._serializers[0].isIn(parameterNode, f"{name}.0")

    def write(self, parameterNode: Any, name: str, values: Any) -> None:
        values = tuple(values)
        if len(values) != len(self._serializers):
            raise ValueError("The tuple has more or fewer values than its type says.")
        with slicer.util.NodeModify(parameterNode):
            for index, (value, serializer) in enumerate(zip(values, self._serializers, strict=True)):
                serializer.write(parameterNode, f"{name}.{index}", value)

    def read(self, parameterNode: Any, name: str) -> tuple[Any, ...]:
        members = enumerate(self._serializers)
        return tuple(serializer.read(parameterNode, f"{name}.{index}") for index, serializer in members)

    def remove(self, parameterNode: Any, name: str) -> None:
        for index, serializer in enumerate(self._serializers):
            serializer.remove(parameterNode, f"{name}.{index}")

    def supportsCaching(self) -> bool:
        return all(serializer.supportsCaching() for serializer in self._serializers)


@parameterNodeSerializer
class DictSerializer(Serializer):
    """A dictionary is kept as a list of pairs, so its order stays."""

    def __init__(self, keySerializer: ValidatedSerializer, valueSerializer: ValidatedSerializer) -> None:
        self._pairs = ListSerializer(TupleSerializer([keySerializer, valueSerializer]))

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return typing.get_origin(type_) is dict or type_ is dict

    @staticmethod
    def create(type_: Any) -> Serializer:
        return DictSerializer(*(serializer_of(member) for member in typing.get_args(type_) or (Any, Any)))

    def default(self) -> dict[Any, Any]:
        return {}

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return self._pairs.isIn(parameterNode, name)

    def write(self, parameterNode: Any, name: str, values: Any) -> None:
        self._pairs.write(parameterNode, name, list(values.items()))

    def read(self, parameterNode: Any, name: str) -> ObservedDict:
        return ObservedDict(parameterNode, self, name, dict(self._pairs.read(parameterNode, name)))

    def remove(self, parameterNode: Any, name: str) -> None:
        self._pairs.remove(parameterNode, name)

    def supportsCaching(self) -> bool:
        return self._pairs.supportsCaching()
