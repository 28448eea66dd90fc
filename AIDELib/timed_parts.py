"""Names under which the profiler sees the parts of an iteration."""

FORWARD = "forward"
BACKWARD = "backward"
UPDATE = "update of the weights"
PREDICTION = "pseudo-label passes"
AUGMENTATION = "augmentation"

ALL = (AUGMENTATION, PREDICTION, FORWARD, BACKWARD, UPDATE)
