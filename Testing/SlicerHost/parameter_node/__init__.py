"""`slicer.parameterNodeWrapper`: typed access to a vtkMRMLScriptedModuleNode and its binding to widgets.

Values are stored under the names and in the form Slicer stores them, so a scene saved in one is read in the other.
"""

from . import container_serializers as _container_serializers  # noqa: F401  # registers them
from .annotations import Default, findFirstAnnotation, splitAnnotations, unannotatedType
from .gui_connectors import (
    Decimals,
    GuiConnector,
    SingleStep,
    createGuiConnector,
    parameterNodeGuiConnector,
)
from .parameter_pack import isParameterPack, parameterPack
from .serializers import Serializer, ValidatedSerializer, createSerializer, parameterNodeSerializer
from .validators import Choice, Exclude, IsInstance, Maximum, Minimum, NotNone, Validator, WithinRange
from .wrapper import (
    SlicerParameterNamePropertyName,
    findChildWidgetForParameter,
    isParameterNodeWrapper,
    parameterNodeWrapper,
)

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Exclude",
    "GuiConnector",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "Serializer",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "ValidatedSerializer",
    "Validator",
    "WithinRange",
    "createGuiConnector",
    "createSerializer",
    "findChildWidgetForParameter",
    "findFirstAnnotation",
    "isParameterNodeWrapper",
    "isParameterPack",
    "parameterNodeGuiConnector",
    "parameterNodeSerializer",
    "parameterNodeWrapper",
    "parameterPack",
    "splitAnnotations",
    "unannotatedType",
]
