import pytest

from AIDELib.errors import SettingsError
from AIDELib.presets import PAPER, PRESETS, QUICK, STANDARD, preset
from AIDELib.settings import Normalization, Ranking, Settings


def test_the_paper_preset_holds_the_published_values():
    assert (PAPER.epochs, PAPER.batch_size, PAPER.learning_rate, PAPER.learning_rate_halving_epochs) == (
        100,
        4,
        1e-4,
        30,
    )
    assert (PAPER.network_width, PAPER.slice_size, PAPER.normalization) == (32, 256, Normalization.SLICE)
    assert (PAPER.cross_entropy_weight, PAPER.consistency_weight, PAPER.pseudo_label_temperature) == (1.0, 10.0, 1.0)
    assert (PAPER.pseudo_label_augmentations, PAPER.pseudo_label_rotation, PAPER.pseudo_label_flip) == (4, 60.0, True)
    assert (PAPER.clean_share, PAPER.correction_share, PAPER.correction_interval) == (0.5, 0.25, 10)
    assert (PAPER.input_rotation, PAPER.input_scaling, PAPER.input_flip, PAPER.input_intensity) == (0, 0, False, 0)
    assert (PAPER.ranking, PAPER.averaging, PAPER.trusted_power) == (Ranking.LOSS, 0.0, 1.0)
    assert not PAPER.plain_statistics


@pytest.mark.parametrize("settings", PRESETS.values(), ids=PRESETS)
def test_settings_are_saved_and_read(settings):
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("epochs=3", "epochs", 3),
        ("learning_rate=1e-2", "learning_rate", 0.01),
        ("clean_share=1", "clean_share", 1.0),
        ("clean_share=.5", "clean_share", 0.5),
        ("input_flip=True", "input_flip", True),
        ("normalization=volume", "normalization", Normalization.VOLUME),
    ],
)
def test_a_setting_typed_on_the_command_line(text, name, expected):
    value = getattr(STANDARD.with_texts([text]), name)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epochs", "NAME=VALUE, got 'epochs'"),
        ("epoch=3", "no setting 'epoch'. The settings are: "),
        ("epochs=0", "epochs must be between 1 and 100000, got 0"),
        ("epochs=2.5", "epochs must be a whole number, got '2.5'"),
        ("epochs=many", "epochs must be a whole number, got 'many'"),
        ("input_flip=1", "input_flip must be true or false, got '1'"),
        ("learning_rate=nan", "learning_rate must be"),
        ("learning_rate=NaN", "learning_rate must be"),
        ("slice_size=100", "slice_size must be a multiple of 16, got 100"),
        ("ranking=loss", "ranking is loss, but consistency=segmentation-loss needs ranking=teacher-loss"),
        (
            "consistency=squared-distance",
            "dice_over is batch, but consistency=squared-distance weighs the loss of each",
        ),
        ("dice_over=volume", "dice_over must be one of slice, batch, got 'volume'"),
        ("ranking=size", "ranking must be one of loss, relative-loss, teacher-loss, got 'size'"),
    ],
)
def test_a_value_that_cannot_be_used(text, expected):
    with pytest.raises(SettingsError) as caught:
        QUICK.with_texts([text])
    assert expected in str(caught.value)


def test_an_unknown_preset():
    with pytest.raises(SettingsError, match=r"no preset 'best'. The presets are: quick, standard, paper"):
        preset("best")


def test_settings_of_another_version():
    values = QUICK.to_json()
    del values["epochs"]
    with pytest.raises(SettingsError, match=r"missing \['epochs'\], unknown \['rounds'\]"):
        Settings.from_json(values | {"rounds": 3})


def test_the_input_of_many_cases_is_changed_half_as_much():
    assert QUICK.input_halved_from == 20
    assert QUICK.with_input_for(19) == QUICK
    many = QUICK.with_input_for(20)
    changed = {
        "input_rotation": 10,
        "input_scaling": 0.15,
        "input_stretch": 0.1,
        "input_warp": 0.02,
        "input_intensity": 0.25,
    }
    assert many == QUICK.replace(**changed)
    assert PAPER.with_input_for(1000) == PAPER
