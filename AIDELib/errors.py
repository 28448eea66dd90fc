"""Problems that the user can solve. Their text is shown to the user as it is, without a traceback."""

import re

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_ENDLESS_WORD = re.compile(r"\S{1001,}")


class AIDEError(Exception):
    """Base of every error whose message is one or two plain sentences for the user.

    The message says what is wrong, with which case or file, the offending value, and what to do. Values come from files of
    strangers: what would steer a terminal, or fill a page, is left out.
    """

    def __init__(self, message: str) -> None:
        plain = _ENDLESS_WORD.sub(
            lambda match: match[0][:100] + "…", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", message)
        )
        super().__init__(plain)


class DatasetError(AIDEError):
    """`dataset.json`, or a case that it lists, cannot be used."""


class VolumeError(AIDEError):
    """An image or label file cannot be read or does not fit the others of its case."""


class SettingsError(AIDEError):
    """A training setting has a value it cannot have."""


class RunError(AIDEError):
    """A run folder is missing, incomplete, or does not fit what is asked of it."""


class FailedElsewhere(AIDEError):
    """Another one of the processes that train together failed; it shows the message itself."""


class ModelError(AIDEError):
    """A model file is damaged, from an unknown version, or does not fit the images given to it."""


def describe_os_error(error: OSError) -> str:
    """Return what the system refused as a sentence, with the file where it is known."""
    reason = error.strerror or str(error)
    return f"{error.filename} cannot be used: {reason}." if error.filename else f"The system refuses: {reason}."
