"""Names of image files, with endings of one or two parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from AIDELib.errors import DatasetError
from AIDELib.segmentation_file import is_segmentation_file

IMAGE_ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".tif", ".tiff")


def image_stem(path: Path) -> str | None:
    """Return the name of an image file without its ending, None for any other file."""
    for ending in IMAGE_ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return None


def images_in(folder: Path) -> dict[str, Path]:
    """Return the image files of a folder by their names without ending, in the order of the names.

    NAME.seg.nrrd beside another file NAME is the segmentation of that image, and no image of its own.

    Raises:
        DatasetError: two images have one name.
    """
    groups = _by_stem(folder)
    images = {stem: [path for path in paths if not is_segmentation_file(path)] for stem, paths in groups.items()}
    return _one_each({stem: images[stem] or paths for stem, paths in groups.items()})


def labels_in_folder(folder: Path) -> dict[str, Path]:
    """Return the files of a folder of labels by their names without ending, in the order of the names.

    Raises:
        DatasetError: two labels have one name.
    """
    return _one_each(_by_stem(folder))


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        stem = image_stem(path)
        if stem is not None and not path.name.startswith(".") and path.is_file():
            groups.setdefault(stem, []).append(path)
    return groups


def _one_each(groups: Mapping[str, Sequence[Path]]) -> dict[str, Path]:
    for paths in groups.values():
        if len(paths) > 1:
            raise DatasetError(
                f"{paths[0]} and {paths[1].name} have the same name but for their endings, so that it is unknown which of "
                "them is meant. Rename one, or take it out of the folder."
            )
    return {stem: path for stem, (path,) in groups.items()}
