"""Images to try the module with, in Slicer's module Sample Data."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

CATEGORY = "AIDESegmentation"
# Hosted by the Slicer project under the checksum of the file.
ADDRESS = "https://github.com/Slicer/SlicerTestingData/releases/download/SHA256/"
SAMPLES = (
    (
        "AIDEHead",
        "AIDE-head.nrrd",
        "cc211f0dfd9a05ca3841ce1141b292898b2dd2d3f08286affadf823a7e58df93",
    ),
    (
        "AIDEBrainTumor",
        "AIDE-brain-tumor.nrrd",
        "998cb522173839c78657f4bc0ea907cea09fd04e44601f17c82ea27927937b95",
    ),
)


def registerSampleImages(icons: Path) -> None:
    """Offer the images in the module Sample Data; registering them twice does no harm.

    Args:
        icons: folder with thumbnails, named after the samples.
    """
    from SampleData import SampleDataLogic

    # Slicer before 5.13 has no titles of categories.
    if hasattr(SampleDataLogic, "registerCustomSampleDataCategory"):
        SampleDataLogic.registerCustomSampleDataCategory(CATEGORY, title=_("AIDE Segmentation"))
    for name, file, digest in SAMPLES:
        thumbnail = icons / f"{name}.png"
        SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=name,
            thumbnailFileName=str(thumbnail) if thumbnail.exists() else None,
            uris=ADDRESS + digest,
            fileNames=file,
            checksums=f"SHA256:{digest}",
            nodeNames=name,
        )
