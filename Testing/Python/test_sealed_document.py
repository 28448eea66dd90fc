import json
import logging

import pytest

from AIDELib.json_document import DocumentError, parse_json_object
from AIDELib.sealed_document import mend_sealed, read_sealed, write_sealed


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "run.json"
    write_sealed(path, {"name": "liver", "epochs": 40})
    return path


def test_a_document_comes_back_without_its_checksum(file):
    assert read_sealed(file) == {"name": "liver", "epochs": 40}
    assert json.loads(file.read_text())["checksum"].startswith("sha256:")


def test_every_flipped_bit_is_seen_or_harmless(file, caplog):
    data = file.read_bytes()
    for position in range(len(data)):
        for bit in (0, 3, 7):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            file.write_bytes(bytes(damaged))
            # A bit of the checksum's own name takes the checksum away and leaves a field that no document has.
            assert {"name": "liver", "epochs": 40}.items() <= read_sealed(file).items()
    assert "Its spare copy" in caplog.text


@pytest.mark.parametrize("length", [0, 1, 20, -1])
def test_a_torn_document_is_replaced_by_its_spare_copy_and_said_so(file, caplog, length):
    file.write_bytes(file.read_bytes()[: length if length >= 0 else -3])
    with caplog.at_level(logging.WARNING):
        assert read_sealed(file)["epochs"] == 40
    assert f"{file} cannot be used" in caplog.text


def test_a_killed_write_leaves_the_old_or_the_new(file, monkeypatch):
    monkeypatch.setattr("AIDELib.sealed_document._spare", lambda path: path.parent / "gone" / "deeper" / path.name)
    with pytest.raises(FileNotFoundError):
        write_sealed(file, {"name": "spleen", "epochs": 40})
    monkeypatch.undo()
    assert read_sealed(file)["name"] == "spleen"
    file.write_bytes(b"{")
    assert read_sealed(file)["name"] == "liver"


def test_both_copies_damaged(file):
    file.write_bytes(b"{")
    (file.parent / "spare" / file.name).write_bytes(b"")
    with pytest.raises(DocumentError, match="no valid JSON"):
        read_sealed(file)


def test_a_document_changed_by_hand_is_refused_unless_its_checksum_is_removed(file):
    document = json.loads(file.read_text()) | {"epochs": 50}
    file.write_text(json.dumps(document))
    (file.parent / "spare" / file.name).unlink()
    with pytest.raises(DocumentError, match='removes the line "checksum"'):
        read_sealed(file)
    del document["checksum"]
    file.write_text(json.dumps(document))
    assert read_sealed(file)["epochs"] == 50


def test_mending_keeps_the_damaged_file_under_another_name(file):
    file.write_bytes(b"torn")
    mend_sealed(file)
    assert json.loads(file.read_text())["epochs"] == 40
    assert file.with_name("run.json.damaged").read_bytes() == b"torn"
    mend_sealed(file)
    assert sorted(path.name for path in file.parent.iterdir()) == ["run.json", "run.json.damaged", "spare"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no valid JSON"),
        (b"\xff\xfe", "no text file in UTF-8"),
        (b"[1]", "no JSON object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no valid JSON"),
        (b'{"a": "\\ud800"}', "no valid Unicode"),
        (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", "nested too deeply"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"a": "' + b"x" * 200 + b'"}', "larger than"),
    ],
)
def test_hostile_documents_are_refused_with_a_reason(data, reason):
    with pytest.raises(DocumentError, match=reason):
        parse_json_object(data, limit=100 if reason == "larger than" else 2**20)
