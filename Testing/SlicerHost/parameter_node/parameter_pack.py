"""Parameters that belong together as one parameter: @parameterPack."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any

import slicer

from .annotations import Default, splitAnnotations, take, unannotatedType
from .serializers import Serializer, ValidatedSerializer, createSerializer, parameterNodeSerializer
from .validators import IsInstance, NotNone


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter of a wrapper or a pack: how it is kept, its default, and its type with annotations."""

    basename: str
    serializer: ValidatedSerializer
    default: Default
    unalteredType: Any


def parameters_of(classtype: type) -> dict[str, ParameterInfo]:
    """Return the parameters that the class's annotations declare."""
    found = {}
    for name, annotated in typing.get_type_hints(classtype, include_extras=True).items():
        type_, annotations = splitAnnotations(annotated)
        if typing.get_origin(type_) is not typing.Union and type(type_).__name__ == "UnionType":
            type_ = typing.Union[typing.get_args(type_)]  # noqa: UP007
        serializer, rest = createSerializer(type_, annotations)
        defaults, _unused = take(rest, Default)
        if hasattr(classtype, name):
            default = Default(getattr(classtype, name))
        else:
            default = defaults[0] if defaults else Default(generator=serializer.default)
        found[name] = ParameterInfo(name, serializer, default, annotated)
    return found


def isParameterPack(obj: Any) -> bool:
    """Return whether this is a parameter pack or an instance of one."""
    return getattr(obj, "_is_parameterPack", False)


def parameterPack(classtype: type | None = None) -> Any:
    """Make a class a parameter pack; used as @parameterPack or @parameterPack()."""
    return _make_pack if classtype is None else _make_pack(classtype)


def _make_pack(cls: type) -> type:
    parameters = parameters_of(cls)
    if not parameters:
        raise ValueError("A parameterPack needs at least one member with a type.")
    for info in parameters.values():
        info.serializer.validate(info.default.value)
        setattr(cls, info.basename, _member(info))
    own_init = cls.__dict__.get("__init__")

    def init(self: Any, *arguments: Any, **keywords: Any) -> None:
        _set_members(self, () if own_init else arguments, {} if own_init else keywords)
        if own_init:
            own_init(self, *arguments, **keywords)

    def equal(self: Any, other: Any) -> bool:
        if not isinstance(other, cls):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in parameters)

    def text(self: Any) -> str:
        return f"{cls.__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in parameters)})"

    members = {
        "allParameters": parameters,
        "_is_parameterPack": True,
        "__init__": init,
        "getValue": _get_value,
        "setValue": _set_value,
        "__setattr__": _set_attribute,
        "dataType": staticmethod(lambda name: _data_type(parameters, name)),
    }
    for name in ("allParameters", "getValue", "setValue", "dataType"):
        if hasattr(cls, name):
            raise ValueError(f"A parameterPack has a '{name}' of its own; choose another name.")
    unless_own = {"__eq__": equal, "__repr__": text, "__str__": text}
    members.update({name: function for name, function in unless_own.items() if name not in cls.__dict__})
    for name, value in members.items():
        setattr(cls, name, value)
    return cls


def _set_attribute(self: Any, name: str, value: Any) -> None:
    # A pack that was read from a node keeps there what is set; there is no place for anything else.
    if "_save" in self.__dict__ and not hasattr(self, name):
        raise AttributeError(f"{type(self).__name__} has no attribute '{name}' and takes no new ones")
    object.__setattr__(self, name, value)


def _member(info: ParameterInfo) -> property:
    attribute = f"_parameterPack_{info.basename}_impl"

    def write(self: Any, value: Any) -> None:
        info.serializer.validate(value)
        setattr(self, attribute, value)
        self.__dict__.get("_save", lambda: None)()

    return property(lambda self: getattr(self, attribute), write)


def _set_members(self: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    names = list(self.allParameters)
    given = dict(zip(names, arguments, strict=False))
    for name in keywords:
        if name not in names:
            raise TypeError(f"__init__() got an unexpected keyword argument '{name}'")
        if name in given:
            raise TypeError(f"__init__() got multiple values for argument '{name}'")
    given.update(keywords)
    for name, info in self.allParameters.items():
        setattr(self, name, given[name] if name in given else info.default.value)  # noqa: SIM401


def _get_value(self: Any, name: str) -> Any:
    first, _, rest = name.partition(".")
    _check_member(self, first)
    value = getattr(self, first)
    if rest and not isParameterPack(value):
        raise ValueError(f"{first} is no parameter pack but expects to have '{rest}'")
    return value.getValue(rest) if rest else value


def _check_member(pack: Any, name: str) -> None:
    if not hasattr(pack, name):
        raise ValueError(f"{pack} has no member '{name}'")


def _set_value(self: Any, name: str, value: Any) -> None:
    first, _, rest = name.partition(".")
    _check_member(self, first)
    if rest:
        member = getattr(self, first)
        if not isParameterPack(member):
            raise ValueError(f"{first} is no parameter pack but expects to have '{rest}'")
        member.setValue(rest, value)
    else:
        setattr(self, first, value)


def _data_type(parameters: dict[str, ParameterInfo], name: str) -> Any:
    first, _, rest = name.partition(".")
    type_ = parameters[first].unalteredType
    return unannotatedType(type_).dataType(rest) if rest else type_


@parameterNodeSerializer
class ParameterPackSerializer(Serializer):
    """Each member is kept as `name.member`; a pack that was read writes its own changes."""

    def __init__(self, type_: type) -> None:
        self.type = type_

    @staticmethod
    def canSerialize(type_: Any) -> bool:
        return isinstance(type_, type) and isParameterPack(type_)

    @staticmethod
    def create(type_: Any) -> Serializer:
        return ValidatedSerializer(ParameterPackSerializer(type_), [NotNone(), IsInstance(type_)])

    def default(self) -> Any:
        return self.type()

    def _members(self, name: str) -> list[tuple[str, ValidatedSerializer, str]]:
        return [(member, info.serializer, f"{name}.{member}") for member, info in self.type.allParameters.items()]

    def isIn(self, parameterNode: Any, name: str) -> bool:
        _, serializer, key = self._members(name)[0]
        return serializer.isIn(parameterNode, key)

    def write(self, parameterNode: Any, name: str, value: Any) -> None:
        with slicer.util.NodeModify(parameterNode):
            for member, serializer, key in self._members(name):
                serializer.write(parameterNode, key, getattr(value, member))

    def read(self, parameterNode: Any, name: str) -> Any:
        value = self.type.__new__(self.type)
        _set_members(value, (), {m: serializer.read(parameterNode, key) for m, serializer, key in self._members(name)})
        value.__dict__["_save"] = lambda: self.write(parameterNode, name, value)
        return value

    def remove(self, parameterNode: Any, name: str) -> None:
        for _, serializer, key in self._members(name):
            serializer.remove(parameterNode, key)

    def supportsCaching(self) -> bool:
        return all(serializer.supportsCaching() for _, serializer, _ in self._members(""))
