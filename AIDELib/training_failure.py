"""Why a training ended before its time, in words for the user."""

from __future__ import annotations

from AIDELib.errors import AIDEError
from AIDELib.memory_thrift import is_out_of_memory
from AIDELib.run_folder import RunFolder


def explain_failure(error: BaseException, run: RunFolder) -> str:
    """Return what was wrong, what is kept, and what to do, for the user."""
    if not isinstance(error, OSError | AIDEError | MemoryError) and not is_out_of_memory(error):
        return f"A process ended with {type(error).__name__}: {error}"
    if isinstance(error, OSError):
        return (
            f"The run {run.path} cannot go on: {error.strerror or error} ({error.filename or 'unknown file'}). Finished "
            "epochs are kept; make room or mend the folder and resume."
        )
    if isinstance(error, AIDEError):
        return str(error)
    return (
        "The memory is not enough for this training. Finished epochs are kept. Start a run with a smaller batch_size, "
        "network_width or slice_size, or with --device cpu."
    )
