"""Names of image files, with endings of one or two parts."""

from __future__ import annotations

from pathlib import Path

IMAGE_ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".tif", ".tiff")


def image_stem(path: Path) -> str | None:
    """Return the name of an image file without its ending, None for any other file."""
    for ending in IMAGE_ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return None


def images_in(folder: Path) -> dict[str, Path]:
    """Return the image files of a folder by their names without ending, in the order of the names."""
    if not folder.is_dir():
        return {}
    stems = {path: image_stem(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    return {stem: path for path, stem in stems.items() if stem is not None and path.is_file()}
