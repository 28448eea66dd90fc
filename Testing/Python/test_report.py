import json
import math

import numpy as np
import pytest
import SimpleITK as sitk
from case_files import BALL, make_image
from scipy import stats

from AIDELib.label_comparison import MetricRow
from AIDELib.metrics import Metrics
from AIDELib.pictures import draw_box_plot, draw_overlay, draw_training
from AIDELib.report import ReportError, read_report, write_report
from AIDELib.statistics import compare_rows, paired_test

ROWS = [
    MetricRow("a", "ball", Metrics(0.9, 0.1, 1.0, 4.0)),
    MetricRow("b", "ball", Metrics(0.5, math.nan, math.nan, math.nan)),
]


def test_a_report_is_read_back_as_written(tmp_path):
    write_report(tmp_path, ROWS, {"a": 0.75})
    lines = (tmp_path / "metrics.csv").read_text().splitlines()
    assert lines == [
        "case,structure,DSC,RAVD,ASSD,MSSD",
        "a,ball,0.900000,0.100000,1.000000,4.000000",
        "b,ball,0.500000,,,",
    ]
    rows = read_report(tmp_path)
    assert rows[0] == ROWS[0]
    assert math.isnan(rows[1].metrics.assd)
    document = json.loads((tmp_path / "metrics.json").read_text())
    assert document["mean DSC"] == pytest.approx(0.7)
    assert document["summary"]["ball"]["ASSD"] == {"count": 1, "mean": 1.0, "sd": None, "median": 1.0}
    assert document["mean QUBIQ score"] == 0.75


def test_a_damaged_report_is_named_with_its_line(tmp_path):
    with pytest.raises(ReportError, match=r"There is no metrics\.csv"):
        read_report(tmp_path)
    (tmp_path / "metrics.csv").write_text("case,structure,DSC,RAVD,ASSD,MSSD\na,ball,x,1,1,1\n")
    with pytest.raises(ReportError, match="line 2: 'a,ball,x,1,1,1' is no row"):
        read_report(tmp_path)


def test_paired_test_equals_scipys():
    first, second = [0.8, 0.7, 0.9, 0.6], [0.75, 0.72, 0.8, 0.5]
    test = paired_test([*first, math.nan], [*second, 0.3])
    expected = stats.ttest_rel(first, second)
    assert test.count == 4
    assert test.difference == pytest.approx(np.mean(np.subtract(first, second)))
    assert test.p == pytest.approx(expected.pvalue)
    assert test.interval == pytest.approx((expected.confidence_interval().low, expected.confidence_interval().high))


def test_paired_test_of_too_few_or_equal_values():
    assert math.isnan(paired_test([0.5], [0.4]).p)
    assert paired_test([], []).count == 0
    assert paired_test([0.5, 0.6], [0.5, 0.6]).p == 1.0


def test_rows_are_paired_by_case():
    other = [MetricRow("b", "ball", Metrics(0.4, 0.1, 1.0, 4.0)), MetricRow("c", "ball", Metrics(0.1, 0, 0, 0))]
    test = compare_rows(ROWS, other, "ball")["dsc"]
    assert (test.count, test.first_mean, test.second_mean) == (1, 0.5, 0.4)


def test_pictures_are_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    image = make_image(np.random.default_rng(0).normal(size=(3, 30, 20)).astype(np.float32), (1.0, 2.0, 3.0))
    labels = np.zeros((3, 30, 20), np.uint8)
    labels[1, 8:16, 5:12] = 1
    draw_overlay(image, make_image(labels), make_image(np.roll(labels, 2, 1)), [BALL], "a", tmp_path / "o.png")
    draw_box_plot(ROWS, [BALL], tmp_path / "b.png")
    events = [{"event": "epoch", "stage": "training", "epoch": 1, "loss": [1.0, 2.0], "agreement": [0.5, 0.6]}]
    draw_training(events, tmp_path / "t.png")
    for name in ("o", "b", "t"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("size", [(1, 40, 1), (3, 1, 40), (1, 2000, 2), (1, 2, 2000), (1, 1, 1)])
def test_images_of_extreme_shapes_are_drawn_at_a_bearable_size(tmp_path, size):
    pytest.importorskip("matplotlib")
    labels = np.zeros(size, np.uint8)
    labels.flat[: (labels.size + 1) // 2] = 1
    image = make_image(np.zeros(size, np.float32))
    draw_overlay(image, make_image(labels), make_image(labels), [BALL], "a", tmp_path / "o.png")
    width, height = sitk.ReadImage(str(tmp_path / "o.png")).GetSize()
    assert (width, 200 < height < 2200) == (676, True)
