"""One training iteration and one correction step of AIDE, written out sample by sample and pixel by pixel.

Slow and literal, after the paper; the tests hold the fast code against it.
"""

from __future__ import annotations

import math

import torch


def sample_loss(logits, labels, weight, smoothing):
    """Eq. 1 for one sample: logits (C, H, W), labels (H, W)."""
    classes, height, width = logits.shape
    cross_entropy = 0.0
    probabilities = [[None] * width for _ in range(height)]
    for y in range(height):
        for x in range(width):
            exponentials = [torch.exp(logits[c, y, x]) for c in range(classes)]
            total = sum(exponentials)
            probabilities[y][x] = [value / total for value in exponentials]
            cross_entropy = cross_entropy - torch.log(probabilities[y][x][int(labels[y, x])])
    dice = 0.0
    for c in range(1, classes):
        intersection = predicted = labelled = 0.0
        for y in range(height):
            for x in range(width):
                is_labelled = float(int(labels[y, x]) == c)
                intersection = intersection + probabilities[y][x][c] * is_labelled
                predicted = predicted + probabilities[y][x][c]
                labelled = labelled + is_labelled
        dice = dice + 1 - (2 * intersection + smoothing) / (predicted + labelled + smoothing)
    return dice / (classes - 1) + weight * cross_entropy / (height * width)


def move(image, matrix):
    """Sample an image (H, W) where a 2 x 2 matrix takes each pixel's offset from the centre; bilinear, 0 outside."""
    height, width = image.shape
    moved = torch.zeros_like(image)
    for y in range(height):
        for x in range(width):
            offset_x, offset_y = x - (width - 1) / 2, y - (height - 1) / 2
            source_x = float(matrix[0][0]) * offset_x + float(matrix[0][1]) * offset_y + (width - 1) / 2
            source_y = float(matrix[1][0]) * offset_x + float(matrix[1][1]) * offset_y + (height - 1) / 2
            left, top = math.floor(source_x), math.floor(source_y)
            for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
                if 0 <= row < height and 0 <= column < width:
                    moved[y, x] += image[row, column] * (1 - abs(source_x - column)) * (1 - abs(source_y - row))
    return moved


def inverse(matrix):
    (a, b), (c, d) = matrix
    determinant = a * d - b * c
    return [[d / determinant, -b / determinant], [-c / determinant, a / determinant]]


def pseudo_label(counterpart, image, matrices, temperature):
    """The counterpart's mean prediction of K augmentations of one image (M, H, W), and each pixel's weight."""
    counterpart.eval()
    channels, height, width = image.shape
    total = coverage = None
    for matrix in matrices:
        matrix = [[float(value) for value in row] for row in matrix]
        augmented = torch.stack([move(image[m], matrix) for m in range(channels)])
        with torch.no_grad():
            prediction = counterpart(augmented[None])[0].softmax(dim=0)
        back = torch.stack([move(prediction[c], inverse(matrix)) for c in range(len(prediction))])
        seen = move(torch.ones(height, width), inverse(matrix))
        total = back if total is None else total + back
        coverage = seen if coverage is None else coverage + seen
    counterpart.train()
    classes = len(total)
    weights = torch.zeros(height, width)
    result = torch.zeros_like(total)
    for y in range(height):
        for x in range(width):
            q = [float(total[c, y, x]) / max(float(coverage[y, x]), 1e-6) for c in range(classes)]
            powered = [value ** (1 / temperature) for value in q]
            q = [value / max(sum(powered), 1e-30) for value in powered] if temperature != 1 else q
            for c in range(classes):
                result[c, y, x] = q[c]
            if float(coverage[y, x]) > 0.5:
                weights[y, x] = (classes * sum(value * value for value in q) - 1) / (classes - 1)
    return result, weights


def iteration_losses(networks, images, label_sets, matrices, ramp, settings):
    """Both networks' losses for one batch; matrices[own][position in the suspects] are the K augmentations."""
    count = len(images)
    logits = [network(images) for network in networks]
    losses = [
        [
            sample_loss(logits[own][b], label_sets[1 - own][b], settings.cross_entropy_weight, settings.dice_smoothing)
            for b in range(count)
        ]
        for own in range(2)
    ]
    totals = []
    for own in range(2):
        other = 1 - own
        ranked = sorted(range(count), key=lambda b, other=other: float(losses[other][b].detach()))
        suspects = ranked[round(settings.clean_share * count) :]
        total = 0.0
        for b in range(count):
            if b not in suspects:
                total = total + losses[own][b]
                continue
            q, weights = pseudo_label(
                networks[other], images[b], matrices[own][suspects.index(b)], settings.pseudo_label_temperature
            )
            p = logits[own][b].softmax(dim=0)
            distance = 0.0
            for y in range(p.shape[1]):
                for x in range(p.shape[2]):
                    distance = distance + weights[y, x] * ((p[:, y, x] - q[:, y, x]) ** 2).sum()
            consistency = distance / (p.shape[1] * p.shape[2])
            total = total + (1 - ramp) * losses[own][b] + settings.consistency_weight * ramp * consistency
        totals.append(total / count)
    return totals


def largest_component(mask):
    """Flood fill over shared faces; of equals the first in order."""
    remaining = {tuple(index) for index in mask.nonzero().tolist()}
    best = []
    for start in sorted(remaining):
        if start not in remaining:
            continue
        remaining.discard(start)
        component, queue = [], [start]
        while queue:
            voxel = queue.pop()
            component.append(voxel)
            for axis in range(3):
                for step in (-1, 1):
                    neighbour = tuple(value + step * (axis == own) for own, value in enumerate(voxel))
                    if neighbour in remaining:
                        remaining.discard(neighbour)
                        queue.append(neighbour)
        if len(component) > len(best):
            best = component
    return set(best)


def corrected_labels(predictions, labels, protected, share, structures):
    """The label maps (Z, H, W) of all cases after one correction step of one network."""
    cleaned, scores = [], []
    for prediction, own in zip(predictions, labels, strict=True):
        clean = torch.zeros_like(prediction)
        dice = []
        for structure in range(1, structures + 1):
            component = largest_component(prediction == structure)
            for voxel in component:
                clean[voxel] = structure
            labelled = {tuple(index) for index in (own == structure).nonzero().tolist()}
            total = len(component) + len(labelled)
            dice.append(2 * len(component & labelled) / total if total else 1.0)
        cleaned.append(clean)
        scores.append(sum(dice) / structures)
    open_cases = [index for index in range(len(labels)) if not protected[index]]
    worst = sorted(open_cases, key=lambda index: scores[index])[: math.ceil(share * len(open_cases))]
    return [cleaned[index] if index in worst else labels[index] for index in range(len(labels))]
