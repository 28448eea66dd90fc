"""nnU-Net raw data: dataset.json (versions 1 and 2), imagesTr/CASE_0000.ext, labelsTr/CASE.ext, imagesTs."""

from __future__ import annotations

from pathlib import Path

from AIDELib.readers.channel_files import group_channels
from AIDELib.readers.description_file import described_channels, described_structures, read_description
from AIDELib.readers.found_cases import FoundCase, FoundCases, require_cases, require_folder
from AIDELib.readers.image_names import images_in, labels_in_folder


def read_nnunet(source: Path) -> FoundCases:
    """Return the cases of an nnU-Net raw folder; those of imagesTs are labelled only where there is a labelsTs.

    Raises:
        DatasetError: the folder does not have this layout.
    """
    description = read_description(require_folder(source))
    channels = described_channels(description, source)
    cases = []
    for part in ("Tr", "Ts"):
        labels = labels_in_folder(source / f"labels{part}")
        for name, images in group_channels(images_in(source / f"images{part}"), len(channels)).items():
            own = (labels[name],) if name in labels else ()
            cases.append(FoundCase(name, images, own, is_for_testing=part == "Ts"))
    return FoundCases(
        channels,
        described_structures(description, source),
        require_cases(cases, source, "imagesTr/CASE_0000.nii.gz and labelsTr/CASE.nii.gz"),
    )
