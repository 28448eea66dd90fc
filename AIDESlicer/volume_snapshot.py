"""A volume node's voxels and place, taken at once, to be worked on in a thread that touches no node."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk
import slicer
import vtk
from numpy import generic
from numpy.typing import NDArray

from AIDELib.atomic_file import replacing
from AIDELib.errors import VolumeError
from AIDELib.grid import as_volume
from AIDELib.volume import read_image
from AIDESlicer.index_image import arrayFromImage, imageFromArray, indexImage, resampled, startOffset
from AIDESlicer.itk_grid import indicesToWorldOf, itkGrid, itkImage
from AIDESlicer.label_grid import labelsOnGrid
from AIDESlicer.placement import Placement, arrayFromMatrix, coveringGrid, indexTransform, placementUnder


@dataclass(frozen=True)
class VolumeSnapshot:
    """A grey volume as it was.

    Attributes:
        name: the node's.
        image: its voxels, shared with the node, in voxel indices counted from 0.
        placement: from these indices to the world.
    """

    name: str
    image: vtk.vtkImageData
    placement: Placement

    @property
    def size(self) -> tuple[int, int, int]:
        """Voxels along I, J, K."""
        return self.image.GetDimensions()

    def worldImage(self) -> sitk.Image:
        """Return the volume in the world (LPS) with all transforms applied.

        Where the voxels still form an orthogonal grid in the world, they are kept bit for bit and the grid is moved;
        under shear or a non-linear transform they are resampled linearly onto a grid of about the same spacing. Always
        3D; a single slice is one voxel thick.
        """
        world, size = self._world()
        if world is self.placement:
            return itkImage(arrayFromImage(self.image), world.matrix)
        image = resampled(
            self.image,
            indexTransform(world, self.placement),
            size,
            vtk.VTK_LINEAR_INTERPOLATION,
            self._background(),
        )
        return itkImage(arrayFromImage(image), world.matrix)

    def worldGrid(self) -> sitk.Image:
        """Return an image on the grid of `worldImage` whose voxels mean nothing. Takes no time to speak of."""
        world, size = self._world()
        return itkGrid(size, world.matrix)

    def write(self, path: Path) -> sitk.Image:
        """Write `worldImage` uncompressed, all of the file or nothing, and return it.

        Raises:
            VolumeError: the file cannot be written.
        """
        image = self.worldImage()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                sitk.WriteImage(image, str(temporary))
        except (OSError, RuntimeError) as error:
            raise VolumeError(f"Volume '{self.name}' cannot be written to {path}: {error}") from None
        return image

    def labelsFromWorld(self, labels: sitk.Image) -> NDArray[generic]:
        """Return a label map in the world (LPS) as voxels (Z, Y, X) of the volume itself.

        Exactly the same voxels where the labels lie on `worldImage` and this was not resampled; else the nearest ones.
        """
        source = Placement(indicesToWorldOf(labels))
        return labelsOnGrid(sitk.GetArrayFromImage(labels), source, self.placement, self.size)

    def _world(self) -> tuple[Placement, tuple[int, int, int]]:
        """Return the grid of the volume in the world: its own where that is orthogonal."""
        return (self.placement, self.size) if self.placement.isOrthogonal else coveringGrid(self.placement, self.size)

    def _background(self) -> float:
        """Return what lies outside the volume: as in Slicer's own resampling, the middle one of its corners' values."""
        ends = [(0, count - 1) for count in self.size]
        corners = [self.image.GetScalarComponentAsDouble(*corner, 0) for corner in itertools.product(*ends)]
        return sorted(corners)[3]


def snapshotOfVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> VolumeSnapshot:
    """Return a snapshot of a volume node; the node stays as it is. Takes no time, whatever the size.

    Raises:
        VolumeError: the node has no voxels, or several values per voxel (colour, vectors, tensors).
    """
    image = volumeNode.GetImageData()
    name = volumeNode.GetName()
    if image is None or image.GetNumberOfPoints() == 0 or image.GetPointData().GetScalars() is None:
        raise VolumeError(f"Volume '{name}' has no voxels. Load it again, or choose another volume.")
    if image.GetNumberOfScalarComponents() != 1:
        raise VolumeError(
            f"Volume '{name}' has {image.GetNumberOfScalarComponents()} values per voxel (a colour or vector image); "
            "convert it to a grey volume with the module Vector to Scalar Volume, or choose another volume."
        )
    return VolumeSnapshot(name, indexImage(image), volumePlacement(volumeNode))


def snapshotOfFile(path: Path, name: str) -> VolumeSnapshot:
    """Return the image of a file or DICOM folder as AIDELib reads it. Touches no node, so that a thread can read it.

    Raises:
        VolumeError: it cannot be read.
    """
    image = as_volume(read_image(path))
    return VolumeSnapshot(name, imageFromArray(sitk.GetArrayViewFromImage(image)), Placement(indicesToWorldOf(image)))


def volumePlacement(
    volumeNode: slicer.vtkMRMLScalarVolumeNode, space: slicer.vtkMRMLTransformNode | None = None
) -> Placement:
    """Return where a volume's voxels, counted from 0, lie in the world, or in the coordinates of a node's children."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    indicesToNode = arrayFromMatrix(matrix) @ startOffset(volumeNode.GetImageData())
    return placementUnder(volumeNode.GetParentTransformNode(), indicesToNode, space)
