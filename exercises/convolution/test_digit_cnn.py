"""Public tests: run `pytest exercises/convolution/test_digit_cnn.py`."""

import math

import torch

from graders.testing import assert_close, assert_refuses, assert_true, load_data


def test_shape_of_the_logits(candidate, rng):
    """One row of logits per image, also where pooling drops a row or column."""
    for height, width in ((8, 8), (10, 9), (4, 7)):
        images = rng.normal(3, 1, height, width)
        result = candidate(lambda m, size, x: m.DigitCNN(size, 5)(x), (height, width), images)
        assert_true(result.shape == (3, 5), f"the logits have shape {tuple(result.shape)}")


def test_features_that_reach_the_head(candidate):
    """Two poolings leave 2×2 positions of a 10×9 image."""
    weight = candidate(lambda m: m.DigitCNN((10, 9), 10, channels=4).head.weight)
    fits = weight.shape == (10, 8 * 2 * 2)
    assert_true(fits, f"head.weight has shape {tuple(weight.shape)}", "each pool halves and rounds down")


def test_history_has_an_entry_per_epoch(candidate, rng):
    """fit returns lists of losses and accuracies; an untrained network is near log(num_classes)."""
    images, labels = rng.normal(40, 1, 8, 8), rng.integers(0, 10, 40)
    history = candidate(lambda m: dict(m.fit(m.DigitCNN(), (images, labels), epochs=3, lr=1e-3, batch_size=16)))
    assert_true(len(history["loss"]) == len(history["accuracy"]) == 3, "three epochs, three entries")
    plausible = 0.5 * math.log(10) < history["loss"][0] < 5 * math.log(10)
    assert_true(plausible, f"a first loss of {history['loss'][0]:.3g} is odd", "mean cross-entropy of logits")


def test_prediction_does_not_depend_on_the_batch(candidate, rng):
    """An image alone gets the class that it gets among others."""
    images = rng.normal(16, 1, 8, 8)

    def probe(m):
        model = m.DigitCNN(generator=torch.Generator().manual_seed(0))
        return m.predict(model, images), m.predict(model, images, batch_size=1)

    together, alone = candidate(probe)
    assert_close(alone, together, tolerance=0.0, what="the prediction", dtype=torch.int64)


def test_reads_digits(candidate):
    """Trained with your defaults on 1200 digits, the network reads nine of ten others."""
    data = load_data("digits")
    images, labels = torch.from_numpy(data["images"])[:, None] / 16, torch.from_numpy(data["labels"])
    seen, unseen = (images[:1200], labels[:1200]), images[1200:]

    def train(m, seen, unseen):
        generator = torch.Generator().manual_seed(0)
        model = m.DigitCNN((8, 8), 10, generator=generator)
        m.fit(model, seen, generator=generator)
        return m.predict(model, unseen)

    accuracy = (candidate(train, seen, unseen, deadline=30) == labels[1200:]).double().mean().item()
    assert_true(accuracy > 0.9, f"only {accuracy:.1%} of the unseen digits are right", "watch the loss per epoch first")


def test_refuses_images_that_are_too_small(candidate):
    """Images below 4×4 raise ValueError: nothing is left after two poolings."""
    assert_refuses(
        candidate,
        lambda m, size: m.DigitCNN(size).training,
        valid=((4, 4),),
        refused=[(((3, 8),), ValueError, "a height of 3"), (((8, 3),), ValueError, "a width of 3")],
    )
