import numpy as np
import pytest
import SimpleITK as sitk
import torch
from case_files import BALL, make_image

from AIDELib import label_pass
from AIDELib.device import fastest_precision, precision_on
from AIDELib.model import Model
from AIDELib.model_description import ModelDescription
from AIDELib.networks import create_network
from AIDELib.prediction_cost import measure_prediction
from AIDELib.predictor import Predictor
from AIDELib.presets import PAPER, STANDARD
from AIDELib.settings import Normalization, Precision
from AIDELib.slicing import SliceOrientation, SlicePlan

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(("settings", "networks"), [(PAPER, 1), (STANDARD, 2)])
def test_the_networks_of_the_settings_segment_a_volume(settings, networks):
    cost = measure_prediction(settings.replace(network_width=2), 32, 3, 2, 1, CPU)
    assert (cost.precision, cost.networks) == ("float32", networks)
    assert cost.seconds > 0
    assert cost.cpu_seconds > 0


def test_bfloat16_where_a_gpu_has_it(monkeypatch):
    for supported, expected in ((True, Precision.BFLOAT16), (False, Precision.FLOAT32)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation, answer=supported: answer)
        assert fastest_precision(GPU) is precision_on(GPU, Precision.AUTO) is expected
        assert precision_on(GPU, Precision.FLOAT32) is Precision.FLOAT32
    assert fastest_precision(CPU) is Precision.FLOAT32
    assert precision_on(CPU, Precision.BFLOAT16) is Precision.BFLOAT16


def test_the_number_of_slices_at_a_time_changes_nothing(monkeypatch):
    torch.manual_seed(1)
    network = create_network("leaky-multi-stream-unet", 1, 2, 4)
    plan = SlicePlan(SliceOrientation.AXIAL, (1.0, 1.0), Normalization.SLICE, (64, 64))
    description = ModelDescription(("image",), (BALL,), (plan,), "leaky-multi-stream-unet", 4, 1, False)
    predictor = Predictor(Model(description, (dict(network.state_dict()),)), CPU)
    array = np.random.default_rng(0).normal(size=(7, 60, 64)).astype(np.float32)
    image = make_image(array, (1.0, 1.0, 3.0))
    masks, probabilities, shares = [], [], []
    for pixels in (64 * 64, 3 * 64 * 64, 2**19):
        monkeypatch.setattr(label_pass, "PIXELS_PER_BATCH_ON_CPU", pixels)
        shares.append([])
        prediction = predictor.predict([image], shares[-1].append)
        masks.append(sitk.GetArrayFromImage(prediction.labels))
        probabilities.append(sitk.GetArrayFromImage(prediction.probabilities[0]))
    for index in (1, 2):
        np.testing.assert_array_equal(masks[index], masks[0])
        np.testing.assert_allclose(probabilities[index], probabilities[0], atol=1e-6)
    assert shares[0] == pytest.approx([index / 7 for index in range(8)])
    assert shares[2] == [0.0, 1.0]
