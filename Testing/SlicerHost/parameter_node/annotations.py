"""Types with annotations, `Annotated[int, WithinRange(0, 5), Default(3)]`, taken apart."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from typing import Any


class Default:
    """The value a parameter has until it is set; a generator is called each time."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value = value
        self._generator = generator

    @property
    def value(self) -> Any:
        return self._generator() if self._generator else self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Default) and (self._value, self._generator) == (other._value, other._generator)

    __hash__ = None


def splitAnnotations(annotatedType: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the type and its annotations."""
    if typing.get_origin(annotatedType) is typing.Annotated:
        actual, *annotations = typing.get_args(annotatedType)
        return actual, tuple(annotations)
    return annotatedType, ()


def unannotatedType(annotatedType: Any) -> Any:
    """Return the type without its annotations."""
    return splitAnnotations(annotatedType)[0]


def findFirstAnnotation(annotations: Any, kind: type) -> Any:
    """Return the first annotation of the kind, or None."""
    return next((annotation for annotation in annotations if isinstance(annotation, kind)), None)


def union_members(type_: Any) -> tuple[Any, ...]:
    """Return the members of `A | B` or Union[A, B]; nothing for another type."""
    is_union = typing.get_origin(type_) is typing.Union or isinstance(type_, types.UnionType)
    return typing.get_args(type_) if is_union else ()


def take(annotations: Any, kind: type) -> tuple[list[Any], list[Any]]:
    """Split annotations into those that are instances or subclasses of the kind, and the others."""

    def is_kind(item: Any) -> bool:
        return isinstance(item, kind) or (isinstance(item, type) and issubclass(item, kind))

    return [item for item in annotations if is_kind(item)], [item for item in annotations if not is_kind(item)]
