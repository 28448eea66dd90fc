import json

import pytest
import SimpleITK as sitk
from case_files import make_image, write_dataset
from test_model import make_model

from AIDELib.batch_prediction import predict_batch
from AIDELib.commands import main
from AIDELib.errors import ModelError, RunError
from AIDELib.model import save_model
from AIDELib.prediction_job import JobFolder, PredictionJob, PredictionTask
from AIDELib.watched_folder import Request


@pytest.fixture
def job(tmp_path):
    """A job of two good examinations and one whose file is missing, with a model of random weights."""
    write_dataset(tmp_path, "HH")
    save_model(make_model(), tmp_path / "m.aide")
    tasks = tuple(
        PredictionTask(name, (tmp_path / f"{name}_0.nii.gz",), tmp_path / "out" / f"{name}.seg.nrrd", probabilities)
        for name, probabilities in (("p0", None), ("gone", None), ("p1", tmp_path / "out" / "p1.nii.gz"))
    )
    folder = JobFolder(tmp_path / "job")
    folder.write(PredictionJob(tmp_path / "m.aide", tasks, "cpu", False))
    return folder


def test_a_job_is_what_was_written(job, tmp_path):
    read = job.read()
    assert (read.model, read.device, read.largest_component) == (tmp_path / "m.aide", "cpu", False)
    assert read.tasks[2] == PredictionTask(
        "p1", (tmp_path / "p1_0.nii.gz",), tmp_path / "out" / "p1.seg.nrrd", tmp_path / "out" / "p1.nii.gz"
    )


def test_one_failure_does_not_stop_the_others(job, tmp_path):
    assert predict_batch(job) == 1
    events = list(job.events())
    segmented = [event for event in events if event["event"] == "segmented"]
    assert [event["name"] for event in segmented] == ["p0", "p1"]
    assert "gone_0.nii.gz" in next(event["message"] for event in events if event["event"] == "task_failed")
    state = job.read_state()
    assert (state["status"], state["failed"], state["share"]) == ("finished", 1, 1.0)
    mask = sitk.ReadImage(segmented[0]["output"])
    voxels = int((sitk.GetArrayFromImage(mask) == 1).sum())
    assert segmented[0]["volumes_ml"] == {"ball": pytest.approx(voxels * 4 / 1000)}
    assert segmented[1]["probabilities"] == [str(tmp_path / "out" / "p1.nii.gz")]


def test_no_result_is_written_over_an_image_or_another_result(job, tmp_path):
    images = [tmp_path / f"p{index}_0.nii.gz" for index in (0, 1)]
    before = [image.read_bytes() for image in images]
    # Over the image of a later examination, spelled another way; and two results in one file.
    outputs = [tmp_path / "out" / ".." / "p1_0.nii.gz", tmp_path / "same.nii.gz", tmp_path / "same.nii.gz"]
    (tmp_path / "out").mkdir()
    tasks = tuple(
        PredictionTask(f"t{index}", (images[index > 0],), output, None) for index, output in enumerate(outputs)
    )
    job.write(PredictionJob(tmp_path / "m.aide", tasks, "cpu", False))
    assert predict_batch(job) == 3
    messages = [event["message"] for event in job.events() if event["event"] == "task_failed"]
    assert ["is one of the images" in message for message in messages] == [True, False, False]
    assert ["the file of two results" in message for message in messages] == [False, True, True]
    assert [image.read_bytes() for image in images] == before


def test_a_stop_request_ends_the_job_and_leaves_what_is_done(job):
    def stop_after_first(event):
        if event["event"] == "segmented":
            job.ask(Request.STOP)

    import AIDELib.progress as progress_module

    original, progress_module.SECONDS_BETWEEN_LOOKS = progress_module.SECONDS_BETWEEN_LOOKS, 0.0
    try:
        predict_batch(job, stop_after_first)
    finally:
        progress_module.SECONDS_BETWEEN_LOOKS = original
    assert job.read_state()["status"] == "stopped"
    assert [event["name"] for event in job.events() if event["event"] == "segmented"] == ["p0"]


def test_the_command_names_what_failed(job, capsys):
    assert main(["predict-batch", str(job.path)]) == 2
    assert "1 of the examinations could not be segmented" in capsys.readouterr().err


def test_a_damaged_model_is_told_in_the_state(job, tmp_path):
    (tmp_path / "m.aide").write_bytes(b"PK")
    with pytest.raises(ModelError):
        predict_batch(job)
    state = job.read_state()
    assert state["status"] == "failed"
    assert "m.aide is no usable AIDE model" in state["message"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [(None, "holds no prediction job"), ("[]", "is damaged"), ('{"format": "x"}', "has the format 'x'")],
)
def test_a_folder_without_a_usable_job(tmp_path, text, expected):
    if text is not None:
        (tmp_path / "job.json").write_text(text)
    with pytest.raises(RunError) as caught:
        JobFolder(tmp_path).read()
    assert expected in str(caught.value)


def test_devices_as_json(capsys):
    assert main(["devices", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["devices"][-1]["name"] == "cpu"
    assert document["devices"][-1]["description"].startswith("CPU (")


def test_a_2d_image_is_segmented(job, tmp_path):
    image = make_image(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "p0_0.nii.gz")))[1], (1.0, 1.0))
    sitk.WriteImage(image, str(tmp_path / "flat.nrrd"))
    task = PredictionTask("flat", (tmp_path / "flat.nrrd",), tmp_path / "flat_mask.nrrd")
    folder = JobFolder(tmp_path / "flat-job")
    folder.write(PredictionJob(tmp_path / "m.aide", (task,), "cpu"))
    assert predict_batch(folder) == 0
    assert sitk.ReadImage(str(task.output)).GetSize() == image.GetSize()
