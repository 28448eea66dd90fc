"""Voxels by themselves: VTK images whose coordinates are voxel indices counted from 0."""

from __future__ import annotations

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy


def indexImage(image: vtk.vtkImageData) -> vtk.vtkImageData:
    """Return an image that shares the voxels of another, without its place in space."""
    shared = vtk.vtkImageData()
    shared.SetDimensions(image.GetDimensions())
    shared.GetPointData().SetScalars(image.GetPointData().GetScalars())
    return shared


def imageFromArray(array: NDArray[np.generic]) -> vtk.vtkImageData:
    """Return an image of its own from voxels (Z, Y, X)."""
    image = vtk.vtkImageData()
    image.SetDimensions(*reversed(array.shape))
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    return image


def arrayFromImage(image: vtk.vtkImageData) -> NDArray[np.generic]:
    """Return the voxels (Z, Y, X) of an image with one value per voxel; they are shared with the image."""
    shape = tuple(reversed(image.GetDimensions()))
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)


def startOffset(image: vtk.vtkImageData) -> NDArray[np.float64]:
    """Return the (4, 4) matrix from indices counted from 0 to the image's own, which may start elsewhere."""
    extent = image.GetExtent()
    offset = np.eye(4)
    offset[:3, 3] = extent[0], extent[2], extent[4]
    return offset


def resampled(
    image: vtk.vtkImageData,
    outputToInput: vtk.vtkAbstractTransform,
    size: tuple[int, int, int],
    interpolation: int,
    background: float,
) -> vtk.vtkImageData:
    """Return an index image resampled onto another grid.

    Args:
        image: an index image.
        outputToInput: from voxel indices of the output to those of the input.
        size: voxels of the output along I, J, K.
        interpolation: vtk.VTK_LINEAR_INTERPOLATION or vtk.VTK_NEAREST_INTERPOLATION.
        background: value outside the input, which reaches half a voxel beyond the centres of its outer voxels.
    """
    reslice = vtk.vtkImageReslice()
    reslice.SetInputData(image)
    reslice.SetResliceTransform(outputToInput)
    reslice.SetOutputDimensionality(3)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputExtent(0, size[0] - 1, 0, size[1] - 1, 0, size[2] - 1)
    reslice.TransformInputSamplingOff()
    reslice.SetBackgroundLevel(background)
    reslice.SetInterpolationMode(interpolation)
    reslice.Update()
    return reslice.GetOutput()
