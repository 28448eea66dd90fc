"""The model library, the card of a model, and which volume is proposed for which channel."""

from __future__ import annotations

import pytest
from AIDESegmentationLib.channel_matching import channelInName, likeliestVolume, nameSimilarity
from AIDESegmentationLib.model_card import modelCard
from AIDESegmentationLib.model_library import LibraryModel, ModelLibrary, describedModel
from AIDESegmentationLib.sample_images import SAMPLES
from tiny_model import TERMINOLOGY, tinyModel

from AIDELib.errors import ModelError
from AIDELib.model_description import read_model_description


@pytest.mark.parametrize(
    ("channel", "volumes", "expected"),
    [
        ("T1", ["whatever"], 0),
        ("T1", ["chest CT", "head T1 axial"], 1),
        ("T1", ["CT", "PET"], None),
        ("T1", [], None),
    ],
)
def test_the_volume_of_a_single_channel_is_found_by_name(channel, volumes, expected):
    assert likeliestVolume(channel, volumes) == expected


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (("in-phase", "out-of-phase"), {"37 out of phase": (1, "37"), "37 in phase": (0, "37")}),
        (("T2", "ADC"), {"t2_tse": (0, "tse"), "ADC map": (1, "map"), "DWI": None}),
        (("FLAIR", "T1"), {"sub-01_T1w": (1, "sub-01"), "sub-01_flair": (0, "sub-01")}),
        (("T1w", "T1wCE"), {"Ada T1wCE": (1, "Ada"), "Ada T1w": (0, "Ada"), "T1w": (0, "")}),
        (
            ("T1", "T2"),
            {"Ada T1 pre": (0, "Ada pre"), "Müller (T2)": (1, "Müller"), "Ada T2_1": (1, "Ada 1"), "CT": None},
        ),
    ],
)
def test_channels_are_found_within_names(channels, expected):
    assert {name: channelInName(name, channels) for name in expected} == expected


def test_similarity_orders_names():
    likenesses = [
        nameSimilarity("T2 axial", name) for name in ("T2 axial", "axial T2 of Monday", "T2axial", "T1 axial", "CT")
    ]
    assert likenesses == sorted(likenesses, reverse=True)
    assert likenesses[0] == 1.0


def test_library_adds_lists_and_removes(tmp_path):
    library = ModelLibrary(tmp_path / "models")
    assert library.models() == []
    first = library.add(tinyModel())
    second = library.add(tinyModel())
    assert [model.name for model in library.models()] == ["liver and spleen", "liver and spleen 2"]
    assert first.description.channels == ("T1",)
    assert first.description.structures[0].terminology == TERMINOLOGY
    (tmp_path / "foreign.aide").write_text("no model")
    with pytest.raises(ModelError, match=r"foreign\.aide"):
        library.add(tmp_path / "foreign.aide")
    library.remove(second)
    assert [model.name for model in library.models()] == ["liver and spleen"]


def test_card_says_what_the_model_is(tmp_path):
    card = modelCard(describedModel(tinyModel()))
    reached = read_model_description(tinyModel()).training["score"]["value"]
    for part in ("#dd8265", "liver", "#9d6ca2", "spleen", "T1", "4 cases with good labels", f"Dice {reached:.2f}"):
        assert part in card
    (tmp_path / "broken <1>.aide").write_bytes(b"PK")
    assert "broken &lt;1&gt;.aide" in modelCard(describedModel(tmp_path / "broken <1>.aide"))


def test_card_of_a_model_that_says_nothing_about_its_training(tmp_path):
    description = read_model_description(tinyModel())
    description.training.clear()
    card = modelCard(LibraryModel(tmp_path / "a.aide", description))
    assert "liver" in card
    assert "Method" not in card


def test_sample_images_name_the_checksum_of_their_address():
    for name, file, digest in SAMPLES:
        assert file.endswith(".nrrd")
        assert len(digest) == 64
        assert name.startswith("AIDE")
