"""Good files of every kind that AIDE reads, and ways to spoil them."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataelem import RawDataElement

from AIDELib.container_document import CHECKSUM_FILE, checksum_lines

# Numbers at which programs break: signs, sizes of types, terabytes.
NUMBERS = (-1, 0, 1, 2, 127, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32, 2**40, 2**63, 10**30, 0.5, -0.0, 1e308)
TEXTS = (
    "", " ", "..", "../../etc/passwd", "/etc/passwd", "/dev/zero", "C:\\\\x", "a\x00b", "\x1b[2J", "x" * 5000, "ü", "NaN",
    "{}", "%s%n", "HQA", "LQA", "unlabelled", "train", "-1",
)  # fmt: skip

Mutation = Callable[[bytes, random.Random], bytes]


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    """Flip one to eight bits."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def flip_bits_at_the_start(data: bytes, chance: random.Random) -> bytes:
    """Flip bits where headers are."""
    return flip_bits(data[:400], chance) + data[400:]


def cut(data: bytes, chance: random.Random) -> bytes:
    """Cut the end off."""
    return data[: chance.randrange(len(data) + 1)]


def repeat_or_drop_a_piece(data: bytes, chance: random.Random) -> bytes:
    """Put a piece of the data elsewhere, or leave one out."""
    start, length = chance.randrange(len(data) + 1), chance.randrange(1, 200)
    if chance.random() < 0.5:
        return data[:start] + data[start + length :]
    target = chance.randrange(len(data) + 1)
    return data[:target] + data[start : start + length] + data[target:]


def put_a_number(data: bytes, chance: random.Random) -> bytes:
    """Write a number at which programs break over some bytes, mostly in the header."""
    kind = chance.choice(("<i", "<I", "<q", "<Q", "<h", ">I", "<f", "<d"))
    number = chance.choice((0, 1, 255, 32767, 2**31 - 1)) if kind != "<h" else chance.choice((-1, 0, 5, 32767))
    value = float("nan") if kind in ("<f", "<d") and chance.random() < 0.3 else number
    packed = struct.pack(kind, value)
    position = chance.randrange(max(1, min(len(data), chance.choice((60, 400, 10**9)))))
    return data[:position] + packed + data[position + len(packed) :]


def put_noise(data: bytes, chance: random.Random) -> bytes:
    """Replace everything by noise, or nothing."""
    return chance.randbytes(chance.choice((0, 1, 10, 1000)))


BYTES: tuple[Mutation, ...] = (flip_bits, flip_bits_at_the_start, cut, repeat_or_drop_a_piece, put_a_number, put_noise)


def spoil_json(data: bytes, chance: random.Random) -> bytes:
    """Change one to three values of a JSON document, its checksum left out so that the values themselves are judged."""
    document = json.loads(data)
    if isinstance(document, dict):
        document.pop("checksum", None)
    for _ in range(chance.choice((1, 1, 2, 3))):
        document = _spoil_value(document, chance)
    return json.dumps(document).encode()


def spoil_text_header(data: bytes, chance: random.Random) -> bytes:
    """Change a field of the lines `name: value` or `name = value` that NRRD and MetaImage files begin with."""
    lines = data.split(b"\n")
    fields = [index for index, line in enumerate(lines[:60]) if b":" in line[:40] or b"=" in line[:60]]
    if not fields:
        return flip_bits(data, chance)
    index = chance.choice(fields)
    separator = b"=" if b"=" in lines[index] else b":"
    name, _, value = lines[index].partition(separator)
    words = value.split()
    if words and chance.random() < 0.7:
        words[chance.randrange(len(words))] = str(chance.choice((*NUMBERS, *TEXTS, "nan", "inf"))).encode()
        value = b" " + b" ".join(words)
    else:
        value = str(chance.choice((*NUMBERS, *TEXTS))).encode()
    if chance.random() < 0.1:
        del lines[index]
    else:
        lines[index] = name + separator + value
    # Without the checksum the header itself is judged.
    return b"\n".join(line for line in lines if not line.startswith(b"# AIDE sha256"))


def spoil_within_gzip(data: bytes, chance: random.Random) -> bytes:
    """Spoil what a .gz file holds and pack it again."""
    return gzip.compress(chance.choice(BYTES)(gzip.decompress(data), chance), 1)


def spoil_container(data: bytes, chance: random.Random) -> bytes:
    """Change a file within a container and pack it again, with checksums that fit, that do not, or without."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist() if name != CHECKSUM_FILE}
    before = dict(content)
    name = chance.choice(list(content))
    kind = chance.randrange(8)
    if kind <= 2:
        document = next(own for own in content if own.endswith(".json"))
        content[document] = spoil_json(content[document], chance)
    elif kind == 3:
        content[name] = chance.choice(BYTES)(content[name], chance)
    elif kind == 4:
        content[name] = _spoil_tensor_header(content[name], chance)
    elif kind == 5:
        content[chance.choice(("../evil.json", "/evil", "a/b.safetensors", "x.pkl", "data.pkl", "n" * 500))] = b"x"
    elif kind == 6:
        del content[name]
    else:
        content[name] = bytes(chance.choice((10**6, 3 * 10**7)))
    sums = chance.choice((content, content, before, None))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for own, value in content.items():
            archive.writestr(own, value)
        if sums is not None:
            archive.writestr(CHECKSUM_FILE, checksum_lines(sums))
    return packed.getvalue()


def spoil_dicom_elements(data: bytes, chance: random.Random) -> bytes:
    """Give one to three elements of a DICOM file, also of its sequences, another value, or leave them out."""
    file = pydicom.dcmread(io.BytesIO(data))
    for _ in range(chance.choice((1, 1, 3))):
        owner: pydicom.Dataset = file
        while True:
            element = chance.choice(list(owner))
            if element.VR != "SQ" or not element.value or chance.random() < 0.2:
                break
            owner = chance.choice(list(element.value))
            if not len(owner):
                break
        if not len(owner) or chance.random() < 0.2:
            owner.pop(element.tag, None)
            continue
        owner[element.tag] = _spoil_element(element, chance)
    written = io.BytesIO()
    try:
        file.save_as(written)
    except Exception:  # what cannot be written cannot be sent by a stranger either
        return flip_bits(data, chance)
    return written.getvalue()


def _spoil_element(element: pydicom.DataElement, chance: random.Random) -> Any:
    tag, kind = element.tag, element.VR
    if kind == "SQ":
        kept = list(element.value)
        return pydicom.DataElement(
            tag, kind, pydicom.Sequence(chance.choice((kept[:1], kept[1:], kept * 2, kept * 200)))
        )
    number = chance.choice(NUMBERS)
    if kind in ("US", "UL", "SS", "SL"):
        value = (int(number) % 2**32).to_bytes(4, "little")[: 2 if kind in ("US", "SS") else 4]
    elif kind in ("FL", "FD"):
        value = struct.pack("<f" if kind == "FL" else "<d", min(number, 1e38))
    elif isinstance(element.value, bytes):
        value = chance.choice((b"", element.value * 2, element.value[: len(element.value) // 2]))
    else:
        texts = [str(chance.choice(NUMBERS)) if chance.random() < 0.7 else chance.choice(TEXTS) for _ in range(6)]
        value = "\\".join(texts[: chance.choice((1, 1, 2, 3, 6))]).encode()
    # As bytes: the library would not let such values pass.
    return RawDataElement(tag, kind, len(value), value + b" " * (len(value) % 2), 0, False, True)


def _spoil_tensor_header(data: bytes, chance: random.Random) -> bytes:
    length = int.from_bytes(data[:8], "little")
    if length > len(data):
        return flip_bits(data, chance)
    try:
        header = spoil_json(data[8 : 8 + length], chance)
    except ValueError:
        return flip_bits(data, chance)
    claimed = chance.choice((len(header), len(header), 2**40, 2**63, 0))
    return claimed.to_bytes(8, "little") + header + data[8 + length :]


def _spoil_value(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        kind = chance.random()
        if kind < 0.1:
            return {own: entry for own, entry in value.items() if own != name}
        if kind < 0.15:
            return value | {chance.choice(TEXTS): chance.choice(NUMBERS)}
        return value | {name: _spoil_value(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        index = chance.randrange(len(value))
        kind = chance.random()
        if kind < 0.1:
            return value[:index] + value[index + 1 :]
        if kind < 0.2:
            return value * chance.choice((2, 300))
        return [*value[:index], _spoil_value(value[index], chance), *value[index + 1 :]]
    nested: Any = []
    for _ in range(chance.choice((1, 5, 200))):
        nested = [nested]
    return chance.choice((*NUMBERS, *TEXTS, None, True, False, [], {}, nested, {"a": 1}, [1, 2, 3]))


def write_images(folder: Path) -> dict[str, Path]:
    """Write a small volume in every format, and one as a DICOM series, and return the files by name."""
    folder.mkdir(parents=True, exist_ok=True)
    random_numbers = np.random.default_rng(0)
    volume = sitk.GetImageFromArray(random_numbers.integers(0, 900, (4, 12, 10)).astype(np.int16))
    volume.SetSpacing((1.0, 1.5, 3.0))
    names = ("a.nii.gz", "a.nii", "a.nrrd", "a.nhdr", "a.mha", "a.mhd")
    files = {name: folder / name for name in names}
    for name, path in files.items():
        sitk.WriteImage(volume, str(path), useCompression=name in ("a.nrrd", "a.mha"))
    picture = sitk.Cast(volume[:, :, 0], sitk.sitkUInt8)
    for name in ("a.png", "a.tif"):
        files[name] = folder / name
        sitk.WriteImage(picture, str(files[name]))
    files["dicom"] = folder / "dicom"
    write_dicom_series(volume, files["dicom"])
    return files


def write_dicom_series(volume: sitk.Image, folder: Path) -> None:
    """Write a volume as a DICOM series with a patient's name in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for index in range(volume.GetSize()[2]):
        piece = volume[:, :, index]
        for tag, value in {
            "0008|0060": "MR",
            "0010|0010": "Secret^Patient",
            "0010|0020": "SECRET-4711",
            "0020|000d": "1.2.826.0.1.3680043.2.1125.1",
            "0020|000e": "1.2.826.0.1.3680043.2.1125.1.1",
            "0008|0018": f"1.2.826.0.1.3680043.2.1125.1.1.{index + 1}",
            "0020|0013": str(index + 1),
            "0020|0032": "\\".join(map(str, volume.TransformIndexToPhysicalPoint((0, 0, index)))),
            "0020|0037": "1\\0\\0\\0\\1\\0",
        }.items():
            piece.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"slice{index:03d}.dcm"))
        writer.Execute(piece)
