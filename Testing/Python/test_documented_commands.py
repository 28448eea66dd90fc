"""The commands of README and documentation, run as they stand there on tiny made-up patients.

Names of folders and files are those of the text, or put in the place of its words in capitals; trainings get small settings
by the flags that the text names.
"""

import argparse
import re
import shlex

import numpy as np
import pytest
import SimpleITK as sitk
from case_files import REPOSITORY, make_image

from AIDELib import presets
from AIDELib.commands import COMMAND_NAMES, create_parser, main

README = REPOSITORY / "README.md"
PAGES = sorted((REPOSITORY / "Docs").glob("*.md"))
# As many as the text asks for: 2 trusted, 40 unlabelled and 40 to test with.
PATIENTS = 82
WORDS = {
    "SCANS": "scans",
    "hippocampus": "scans",
    "RUN": "runs/evidence",
    "METHOD": "aide",
    "SEED": "0",
    "MODEL": "runs/first",
    "DIR": "parts",
    "FILE": "liver.aide",
}
SMALL = "--epochs 1 --set network_width=2 --set iterations_per_epoch=2 --set pretraining_epochs=1"
NOT_RUN_HERE = {
    "python3 develop.py demo": "sets up an environment from the network; run as a whole in continuous integration",
    "python3 develop.py demo dataset.json": "the same",
    "python3 develop.py test": "runs these tests",
    "pip install .": "needs the network",
    "pip install highdicom": "needs the network",
    "python -m AIDELib": "names the command line as such",
    "python -m AIDELib benchmark": "computes for minutes with the authors' network; test_commands.py runs a small one",
    "torchrun --nproc-per-node 2 -m AIDELib train dataset.json --run-folder runs/liver": "test_several_processes.py runs it",
    "python -m Testing.fault_harness --kills 100 --seed 11": "test_faults.py runs it with 6 kills",
    "python -m Testing.fuzz --count 12000 --seed 13": "test_hostile_files.py runs it with 300 inputs",
    "python -m AIDELib benchmark --preset paper --set network_width=4 --size 64 --channels 1 "
    "--epochs-of 250 500 1000 2000": ("computes for minutes; test_epoch_cost.py measures small ones"),
    "python -m AIDELib benchmark --preset standard --volume 50": "the same; test_prediction_cost.py",
    "python -m Testing.Benchmarks --help": "test_benchmark_experiments.py runs that command line",
    "python -m Testing.Benchmarks label-audit": "computes for minutes; the tests of the benchmarks run small experiments",
    "python -m Testing.Benchmarks acdc --set slice_size=256 network_width=16 iterations_per_epoch=250 precision=auto": (
        "the same, and on a GPU"
    ),
    'python -m Testing.Benchmarks acdc --scenarios "3 labelled patients" --seeds 1': "the same",
    "python -m Testing.Benchmarks annotation-curve --seeds 1": "the same",
    "python -m Testing.Benchmarks chaos --seeds 1": "the same",
    "python -m Testing.Benchmarks qubiq-kidney --seeds 1": "the same",
    "python -m Testing.Benchmarks retina-domains --seeds 1": "the same",
    "python -m Testing.Benchmarks retina-raters --seeds 1": "the same",
    "python -m Testing.Benchmarks hippocampus": "computes for hours; the tests of the benchmarks run small experiments",
}

# What a sentence leaves out.
COMPLETED = {
    "--resume": "python -m AIDELib train --run runs/first --resume",
    "--to decathlon": "python -m AIDELib export-dataset dataset.json --to decathlon --output Task1",
    "import nnunet": "python -m AIDELib import nnunet nnUNet_raw/Dataset123_Liver --output again.json",
    "import decathlon": "python -m AIDELib import decathlon Task1 --output again.json",
    "--to torchscript": "python -m AIDELib export runs/first --to torchscript --output first.ts",
    "--to onnx": "python -m AIDELib export runs/first --to onnx --output first.onnx",
    "--to monai-bundle": "python -m AIDELib export runs/first --to monai-bundle --output bundle",
}


def fenced(page, *languages: str) -> list[str]:
    """Return the text of the fenced blocks of a page in these languages; "" for none."""
    text = page.read_text(encoding="utf-8")
    return [code for language, code in re.findall(r"^```(.*?)\n(.*?)^```", text, re.M | re.S) if language in languages]


def blocks(page) -> list[str]:
    """Return the commands of the shell blocks of a page."""
    lines = "\n".join(fenced(page, "", "sh", "bash", "console", "shell")).replace("\\\n", " ").splitlines()
    return [" ".join(line.split("#")[0].split()) for line in lines if line.strip()]


def spans(page) -> list[str]:
    """Return the commands and options that stand within sentences."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]
    return [
        span
        for span in found
        if span.startswith(("python", "pip", "--")) or (" " in span and span.split()[0] in COMMAND_NAMES)
    ]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("documented")
    for name in ("images", "labels"):
        (folder / "scans" / name).mkdir(parents=True)
    y, x = np.indices((16, 16))
    generator = np.random.default_rng(0)
    for index in range(PATIENTS):
        mask = ((y - 8) ** 2 + (x - 8) ** 2 < generator.uniform(9, 25)) * np.ones((3, 1, 1), np.uint8)
        image = (generator.normal(size=mask.shape) + 3 * mask).astype(np.float32)
        name = f"patient{index:02d}.nii.gz"
        sitk.WriteImage(make_image(image, (1.0, 1.0, 3.0)), str(folder / "scans" / "images" / name))
        sitk.WriteImage(make_image(mask.astype(np.uint8), (1.0, 1.0, 3.0)), str(folder / "scans" / "labels" / name))
    sitk.WriteImage(make_image(image, (1.0, 1.0, 3.0)), str(folder / "scan.nii.gz"))
    return folder


def run(command: str) -> None:
    """Run a command in this process, with small settings for a training."""
    assert command.startswith("python -m AIDELib "), f"{command}: run it here, or list it with the reason"
    words = [WORDS.get(word, word) for word in shlex.split(command)[3:]]
    # A run that goes on has the settings that it was begun with.
    if words[0] == "train" and "--resume" not in words:
        words += shlex.split(SMALL)
    assert main(words) == 0, command


def run_all(commands: list[str]) -> None:
    """Run those commands that are not listed as run elsewhere."""
    for command in commands:
        if command not in NOT_RUN_HERE:
            run(command)


@pytest.fixture(scope="module")
def readme_has_run(workspace):
    """The folder in which the commands of README were run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        run_all(blocks(README))
    return workspace


def test_the_shell_commands_of_readme(readme_has_run):
    assert sitk.ReadImage(str(readme_has_run / "mask.seg.nrrd")).GetSize() == (16, 16, 3)
    assert (readme_has_run / "runs" / "first" / "model.aide").is_file()
    assert any((readme_has_run / "reports" / "first").iterdir())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_shell_commands_of_a_page(page, readme_has_run, monkeypatch):
    monkeypatch.chdir(readme_has_run)
    run_all(blocks(page))


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_commands_and_options_within_sentences(page, readme_has_run, monkeypatch):
    monkeypatch.chdir(readme_has_run)
    for span in spans(page):
        if span in COMPLETED:
            run(COMPLETED[span])
        elif span.startswith("--"):
            assert_known(span)
        else:
            run_all([span if span.startswith(("python", "pip")) else f"python -m AIDELib {span}"])


def assert_known(option: str) -> None:
    """Check that one of the commands has an option, and takes the value that is named with it."""
    name, _, value = option.partition(" ")
    (commands,) = (action for action in create_parser()._actions if isinstance(action, argparse._SubParsersAction))
    actions = [action for own in commands.choices.values() for action in own._actions if name in action.option_strings]
    assert actions, f"no command has the option {option}"
    assert not value or any(action.choices is None or value in action.choices for action in actions), option


@pytest.mark.parametrize("name", COMMAND_NAMES)
def test_the_examples_in_the_help_of_a_command_can_be_parsed(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"])
    text = " ".join(capsys.readouterr().out.split("xample", 1)[1].split(":", 1)[1].split())
    examples = [example for example in text.split("python -m AIDELib ")[1:] if example]
    assert examples
    for example in examples:
        create_parser().parse_args(shlex.split(example))


def test_the_python_example_of_readme(readme_has_run, monkeypatch):
    monkeypatch.chdir(readme_has_run)
    small = presets.QUICK.replace(network_width=2, epochs=1, pretraining_epochs=1, iterations_per_epoch=2)
    monkeypatch.setattr(presets, "QUICK", small)
    (code,) = fenced(README, "python")
    names = {"__name__": "example"}
    exec(compile(code.replace("runs/first", "runs/python"), "example", "exec"), names)
    assert names["labels"].GetSize() == (16, 16, 3)
