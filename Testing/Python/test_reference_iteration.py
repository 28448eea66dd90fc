"""The fast code gives what the paper's equations give when they are written out."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import reference_iteration as reference
import torch

from AIDELib.aide_method import AIDE
from AIDELib.augmentation import SpatialAugmentation
from AIDELib.baselines import Conventional, CoTeaching
from AIDELib.case import Case, LabelQuality, Split
from AIDELib.label_filtering import consistency_ramp
from AIDELib.label_set import LabelSet
from AIDELib.postprocessing import keep_largest_components
from AIDELib.presets import PAPER, STANDARD
from AIDELib.segmentation_loss import batch_segmentation_loss, segmentation_loss
from AIDELib.settings import Consistency, DiceOver, Ranking
from AIDELib.slice_set import CaseSlices, SliceSet
from AIDELib.slice_storage import SliceStorage
from AIDELib.stage import Stage
from AIDELib.strong_view import StrongView
from AIDELib.training_method import Predictions

EPOCH = 11


def make_stage(settings, structures, channels):
    random = np.random.default_rng(0)
    case = Case("a", (Path("i"),) * channels, Path("l"), LabelQuality.LQA, Split.TRAIN)
    images = random.standard_normal((8, channels, 16, 16)).astype(np.float32)
    labels = random.integers(0, structures + 1, (8, 16, 16)).astype(np.uint8)
    slices = SliceSet.build([CaseSlices(case, images, labels)], SliceStorage(torch.device("cpu")), (16, 16))
    return Stage(1, AIDE(settings), 100, slices, slices.pad_labels([labels]), structures)


@pytest.mark.parametrize(("structures", "channels", "temperature"), [(1, 2, 1.0), (2, 1, 0.5)])
def test_losses_and_gradients_of_an_iteration(structures, channels, temperature):
    settings = PAPER.replace(
        network_width=2, pseudo_label_augmentations=2, pseudo_label_temperature=temperature, warm_up_epochs=20
    )
    stage = make_stage(settings, structures, channels)
    stage.label_sets[1].labels.copy_(stage.label_sets[0].labels.flip(0))
    batch = stage.batch([5, 2, 7, 0], torch.Generator().manual_seed(0))
    fast = stage.method.losses(stage.learners, batch, EPOCH, torch.Generator().manual_seed(7))
    for loss in fast:
        loss.backward()
    gradients = [[weight.grad.clone() for weight in learner.network.parameters()] for learner in stage.learners]

    networks = [learner.network for learner in make_stage(settings, structures, channels).learners]
    generator = torch.Generator().manual_seed(7)
    matrices = []
    for _ in range(2):
        drawn = SpatialAugmentation.draw(
            4, settings.pseudo_label_rotation, settings.pseudo_label_flip, generator
        ).matrices
        matrices.append(drawn.view(2, 2, 2, 2).tolist())
    ramp = consistency_ramp(EPOCH - 1, settings.warm_up_epochs)
    slow = reference.iteration_losses(
        [network.train() for network in networks], batch.images, batch.labels, matrices, ramp, settings
    )
    for loss in slow:
        loss.backward()

    assert [float(loss.detach()) for loss in fast] == pytest.approx([float(loss.detach()) for loss in slow], rel=1e-5)
    for network, own_gradients in zip(networks, gradients, strict=True):
        expected = torch.cat([weight.grad.flatten() for weight in network.parameters()])
        actual = torch.cat([gradient.flatten() for gradient in own_gradients])
        assert (actual - expected).norm() <= 1e-5 * expected.norm()


def test_labels_after_a_correction_step():
    random = np.random.default_rng(3)
    qualities = [LabelQuality.HQA, *[LabelQuality.LQA] * 5]
    cases = [
        CaseSlices(
            Case(f"c{index}", (Path("i"),), Path("l"), quality, Split.TRAIN),
            np.zeros((3, 1, 16, 16), np.float32),
            random.integers(0, 3, (3, 16, 16)).astype(np.uint8),
        )
        for index, quality in enumerate(qualities)
    ]
    slices = SliceSet.build(cases, SliceStorage(torch.device("cpu")), (16, 16))
    given = slices.pad_labels([case.labels for case in cases])
    label_sets = [LabelSet.given(given, slices) for _ in range(2)]
    raw = [[random.integers(0, 3, (3, 16, 16)).astype(np.uint8) for _ in cases] for _ in range(2)]
    cleaned = tuple([keep_largest_components(labels, 2) for labels in own] for own in raw)

    from AIDELib.label_correction import agreement

    agreements = tuple(
        [agreement(labels, case.labels, 2) for labels, case in zip(own, cases, strict=True)] for own in cleaned
    )
    AIDE(PAPER).correct_labels(slices, label_sets, Predictions(cleaned, agreements, 2), 1)

    for own, label_set in zip(raw, label_sets, strict=True):
        expected = reference.corrected_labels(
            [torch.from_numpy(labels) for labels in own],
            [torch.from_numpy(case.labels) for case in cases],
            [True, False, False, False, False, False],
            PAPER.correction_share,
            2,
        )
        for index, labels in enumerate(expected):
            assert np.array_equal(slices.case_labels(label_set.labels, index), labels.numpy())
        assert sum(map(bool, label_set.corrected_at)) == 2


def test_pseudo_labels_are_made_for_the_suspects_alone(monkeypatch):
    settings = PAPER.replace(network_width=2)
    stage = make_stage(settings, 1, 1)
    seen = []
    for learner in stage.learners:
        original = learner.predict

        def counting(images, learner=learner, original=original):
            seen.append((len(images), learner.network.training, torch.is_grad_enabled()))
            return original(images)

        monkeypatch.setattr(learner, "predict", counting)
    batch = stage.batch([0, 1, 2, 3], torch.Generator())
    stage.method.losses(stage.learners, batch, EPOCH, torch.Generator())
    # Half of four samples are suspects, four augmentations each.
    assert [count for count, _, _ in seen] == [8, 8]


def test_pseudo_label_pass_leaves_the_batch_statistics_alone():
    stage = make_stage(PAPER.replace(network_width=2), 1, 1)
    learner = stage.learners[0]
    before = {name: value.clone() for name, value in learner.network.state_dict().items()}
    learner.predict(stage.slices.images[:2])
    assert all(torch.equal(value, before[name]) for name, value in learner.network.state_dict().items())


def test_trusted_samples_keep_their_label_at_full_weight():
    settings = PAPER.replace(network_width=2, trust_hqa=True)
    stage = make_stage(settings, 1, 1)
    batch = stage.batch([0, 1, 2, 3], torch.Generator())
    trusted = replace(batch, trusted=torch.ones(4, dtype=torch.bool))
    loss = stage.method.losses(stage.learners, trusted, EPOCH, torch.Generator())[0]
    expected = stage.method.sample_losses(stage.learners[0].forward(batch.images), batch.labels[1]).mean()
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


@pytest.mark.parametrize("dice_over", DiceOver)
def test_suspects_learn_their_counterparts_confident_pseudo_labels_on_distorted_slices(dice_over):
    settings = PAPER.replace(
        network_width=2,
        dice_over=dice_over,
        averaging=0.5,
        consistency=Consistency.SEGMENTATION_LOSS,
        consistency_rotation=30.0,
        consistency_intensity=0.5,
        consistency_mixing=1.0,
        consistency_weight=1.0,
        ranking=Ranking.TEACHER_LOSS,
        pseudo_label_augmentations=1,
        pseudo_label_rotation=0.0,
        pseudo_label_flip=False,
        doubt_generated=True,
        trust_hqa=True,
    )
    stage = make_stage(settings, 1, 1)
    batch = stage.batch([0, 1, 2, 3], torch.Generator().manual_seed(0))
    unlabelled = torch.tensor([False, False, True, True])
    batch = replace(batch, trusted=~unlabelled, generated=unlabelled)
    pseudo = stage.learners[1].predict(batch.plain_images)
    # Half of the pixels are confident.
    threshold = float(pseudo[2:].max(dim=1).values.median())
    settings = settings.replace(pseudo_label_threshold=threshold)
    loss = AIDE(settings).losses(stage.learners, batch, EPOCH, torch.Generator().manual_seed(1))[0]

    view = StrongView.draw(batch.images, unlabelled, settings, torch.Generator().manual_seed(1))
    targets, weights = batch.labels[1].clone(), torch.ones(4, 16, 16)
    for sample in (2, 3):
        targets[sample] = pseudo[sample].argmax(dim=0).to(torch.uint8)
        weights[sample] = (pseudo[sample].max(dim=0).values >= threshold).float()
    logits = stage.learners[0].forward(view.images)
    ramp = consistency_ramp(EPOCH - 1, settings.warm_up_epochs)
    joint_loss = batch_segmentation_loss if dice_over is DiceOver.BATCH else segmentation_loss
    given = joint_loss(logits, view.of_labels(batch.labels[1]), 1.0, 1.0).mean()
    pseudo_loss = joint_loss(logits, view.of_labels(targets), 1.0, 1.0, view.of_labels(weights)).mean()
    expected = (1 - ramp) * given + ramp * pseudo_loss
    # The identity of the pseudo-label's augmentation is interpolated: a pixel at the threshold may fall on either side.
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=2e-3)


def test_co_teaching_drops_what_its_counterpart_finds_hard_whatever_dice_is_taken_over():
    # Of two samples each network keeps the one that the other has the smaller loss on.
    settings = STANDARD.replace(network_width=2, clean_share=0.5, warm_up_epochs=1)
    batch = make_stage(settings, 1, 1).batch([0, 5], torch.Generator().manual_seed(0))
    logits = [torch.zeros(2, 2, 16, 16) for _ in range(2)]
    for own, easy in zip(logits, (1, 0), strict=True):
        sure = torch.nn.functional.one_hot(batch.labels[0][easy].long(), 2).permute(2, 0, 1) * 4.0 - 2.0
        own[easy] = sure
    learners = [SimpleNamespace(forward=lambda images, own=own: own) for own in logits]
    for dice_over in DiceOver:
        losses = CoTeaching(settings.replace(dice_over=dice_over)).losses(learners, batch, 2, torch.Generator())
        kept = [segmentation_loss(logits[0][:1], batch.labels[0][:1], 1.0, 1.0)]
        kept.append(segmentation_loss(logits[1][1:], batch.labels[1][1:], 1.0, 1.0))
        assert [float(loss) for loss in losses] == pytest.approx([float(loss) for loss in kept])
    none_left = CoTeaching(settings.replace(clean_share=0.0)).losses(learners, batch, 2, torch.Generator())
    assert [float(loss) for loss in none_left] == [0.0, 0.0]
    # Nothing is dropped before the labels are doubted.
    trusting, everything = CoTeaching(settings), Conventional(settings)
    trusting.trusting_epochs = 4
    for epoch, dropping in ((5, False), (6, True)):
        losses = trusting.losses(learners, batch, epoch, torch.Generator())
        whole = everything.losses(learners, batch, epoch, torch.Generator())
        assert [float(one) == float(other) for one, other in zip(losses, whole, strict=True)] == [not dropping] * 2


def test_the_averaged_networks_loss_on_the_undistorted_slice_finds_the_suspects(monkeypatch):
    settings = PAPER.replace(network_width=2, ranking=Ranking.TEACHER_LOSS)
    stage = make_stage(settings, 1, 1)
    batch = stage.batch([0, 1, 2, 3], torch.Generator())
    sure = torch.zeros(4, 2, 16, 16)
    # Network 2 agrees with labels 0 and 3 and contradicts the others.
    for sample, labels in enumerate(batch.labels[0]):
        wanted = labels if sample in (0, 3) else 1 - labels
        sure[sample] = torch.nn.functional.one_hot(wanted.long(), 2).permute(2, 0, 1) * 0.98 + 0.01
    monkeypatch.setattr(stage.learners[1], "predict", lambda images: sure)
    suspects = stage.method._suspects(stage.learners, batch, [])[0]
    assert sorted(suspects.tolist()) == [1, 2]
    # Quite certain of the contrary of a label: its loss must not leave the others without a rank.
    sure[1] = sure[1].round()
    for _ in range(2):
        suspects = stage.method._suspects(stage.learners, batch, [])[0]
        assert sorted(suspects.tolist()) == [1, 2]


def test_each_network_learns_its_suspects_distorted_and_the_other_samples_as_they_are(monkeypatch):
    settings = PAPER.replace(
        network_width=2,
        consistency="segmentation-loss",
        consistency_rotation=30.0,
        ranking=Ranking.TEACHER_LOSS,
        pseudo_label_augmentations=1,
    )
    stage = make_stage(settings, 1, 1)
    batch = stage.batch([0, 1, 2, 3], torch.Generator())
    unsure = replace(batch, trusted=torch.zeros(4, dtype=torch.bool), generated=torch.zeros(4, dtype=torch.bool))
    seen = []
    for learner, agreeing in zip(stage.learners, ([1, 2], [0, 3]), strict=True):
        right = torch.nn.functional.one_hot(batch.labels[0].long(), 2).permute(0, 3, 1, 2) * 0.98 + 0.01
        wrong = right.flip(1)
        predicted = torch.stack([(right if sample in agreeing else wrong)[sample] for sample in range(4)])
        monkeypatch.setattr(learner, "predict", lambda images, predicted=predicted: predicted[: len(images)])
        forward = learner.forward
        monkeypatch.setattr(learner, "forward", lambda images, forward=forward: seen.append(images) or forward(images))
    AIDE(settings).losses(stage.learners, unsure, EPOCH, torch.Generator().manual_seed(1))
    # Each network doubts what its counterpart contradicts.
    for images, suspects in zip(seen, ([1, 2], [0, 3]), strict=True):
        unchanged = [torch.equal(image, plain) for image, plain in zip(images, batch.images, strict=True)]
        assert unchanged == [sample not in suspects for sample in range(4)]
