"""Medical Segmentation Decathlon: dataset.json, imagesTr, labelsTr, imagesTs; several channels in one 4D file."""

from __future__ import annotations

from pathlib import Path

from AIDELib.readers.description_file import described_channels, described_structures, read_description
from AIDELib.readers.found_cases import FoundCase, FoundCases, require_cases, require_folder
from AIDELib.readers.image_names import images_in, labels_in_folder
from AIDELib.volume import CHANNEL_MARK


def read_decathlon(source: Path) -> FoundCases:
    """Return the cases of a Decathlon task; those of imagesTs are labelled only where there is a labelsTs.

    Raises:
        DatasetError: the folder does not have this layout.
    """
    description = read_description(require_folder(source))
    channels = described_channels(description, source)
    cases = []
    for part in ("Tr", "Ts"):
        labels = labels_in_folder(source / f"labels{part}")
        for name, image in images_in(source / f"images{part}").items():
            own = (labels[name],) if name in labels else ()
            cases.append(FoundCase(name, _channel_paths(image, len(channels)), own, is_for_testing=part == "Ts"))
    return FoundCases(
        channels,
        described_structures(description, source),
        require_cases(cases, source, "imagesTr/NAME.nii.gz and labelsTr/NAME.nii.gz"),
    )


def _channel_paths(image: Path, count: int) -> tuple[Path, ...]:
    if count == 1:
        return (image,)
    return tuple(image.with_name(f"{image.name}{CHANNEL_MARK}{index}") for index in range(count))
