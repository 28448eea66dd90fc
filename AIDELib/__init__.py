"""AIDE: annotation-efficient deep learning for segmentation from imperfect labels.

After Wang et al., "Annotation-efficient deep learning for automatic medical image segmentation",
Nature Communications 12, 5915 (2021). Nothing here imports Slicer or Qt.
"""

__version__ = "0.1.0"
