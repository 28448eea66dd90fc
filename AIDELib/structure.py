"""An anatomical structure that a model segments."""

from __future__ import annotations

from dataclasses import dataclass

from AIDELib.errors import DatasetError

# Told apart by people with any colour vision (Okabe and Ito), for structures without a colour of their own.
DEFAULT_COLORS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)


# Of the largest whole numbers that label volumes are stored in.
LARGEST_VALUE = 2**31 - 1


@dataclass(frozen=True)
class Structure:
    """One foreground class.

    Attributes:
        name: shown to the user and written as the segment's name.
        values: values in label files that mean this structure; several values are merged into one structure.
        color: red, green, blue, each 0 to 255.
        terminology: what the structure is in coded terms, as 3D Slicer writes terminology entries ("context~category~type
            ..."); empty where nobody said.

    Raises:
        DatasetError: the name is empty, a value is not a positive whole number, or a colour is out of range.
    """

    name: str
    values: tuple[int, ...]
    color: tuple[int, int, int]
    terminology: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise DatasetError("A structure has no name; give each structure a name.")
        if (
            not self.values
            or any(not 1 <= value <= LARGEST_VALUE for value in self.values)
            or len(set(self.values)) < len(self.values)
        ):
            raise DatasetError(
                f"Structure '{self.name}': value must be one or several different whole numbers from 1 to {LARGEST_VALUE}, "
                f"got {str(list(self.values))[:100]}."
            )
        if "\n" in self.terminology or "|" in self.terminology:
            raise DatasetError(
                f"Structure '{self.name}': terminology must be one line without '|', got '{self.terminology}'."
            )
        if len(self.color) != 3 or any(not 0 <= part <= 255 for part in self.color):
            raise DatasetError(
                f"Structure '{self.name}': color must be red, green and blue, each 0 to 255, "
                f"got {str(list(self.color))[:100]}."
            )
