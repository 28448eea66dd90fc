"""Parts of the module AIDE Segmentation, one concept per file."""
