"""Parts of the AIDETraining module."""
