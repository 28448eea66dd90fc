"""Serializer of typing.Any: the type of each value is kept beside it."""

from __future__ import annotations

import importlib
import typing
from typing import Any

from .serializers import Serializer, parameterNodeSerializer, serializer_of


@parameterNodeSerializer
class AnySerializer(Serializer):
    """Writes values of every type that has a serializer of its own, as `name.value` and `name.type`."""

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return type_ is typing.Any

    @staticmethod
    def create(type_: Any) -> Serializer:
        return AnySerializer()

    def default(self) -> None:
        return None

    def isIn(self, parameterNode: Any, name: str) -> bool:
        return parameterNode.HasParameter(f"{name}.type.0")

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        self.remove(parameterNode, name)
        serializer_of(type(value)).write(parameterNode, f"{name}.value", value)
        parameterNode.SetParameter(f"{name}.type.0", type(value).__module__)
        parameterNode.SetParameter(f"{name}.type.1", type(value).__name__)

    def read(self, parameterNode: Any, name: str) -> Any:
        return self._serializer(parameterNode, name).read(parameterNode, f"{name}.value")

    def remove(self, parameterNode: Any, name: str) -> None:
        if self.isIn(parameterNode, name):
            self._serializer(parameterNode, name).remove(parameterNode, f"{name}.value")
            parameterNode.UnsetParameter(f"{name}.type.0")
            parameterNode.UnsetParameter(f"{name}.type.1")

    def _serializer(self, parameterNode: Any, name: str) -> Serializer:
        module = parameterNode.GetParameter(f"{name}.type.0")
        class_name = parameterNode.GetParameter(f"{name}.type.1")
        if (module, class_name) == ("builtins", "NoneType"):
            return serializer_of(type(None))
        return serializer_of(getattr(importlib.import_module(module), class_name))
