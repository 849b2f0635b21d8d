"""Public tests: run `pytest exercises/foundations/test_feedforward_classifier.py`."""

import math

import torch

from graders.testing import assert_close, assert_refuses, assert_true, load_data


def test_names_of_the_parameters(candidate):
    """Every layer is registered under the name of the table."""
    shapes = candidate(lambda m: {k: list(v.shape) for k, v in m.FeedForward(6, (5, 4), 3).named_parameters()})
    expected = {"hidden.0.weight": [5, 6], "hidden.0.bias": [5], "hidden.1.weight": [4, 5], "hidden.1.bias": [4]}
    expected |= {"head.weight": [3, 4], "head.bias": [3]}
    assert_true(shapes == expected, f"named_parameters() holds {shapes}", "which attributes does nn.Module register?")


def test_shape_of_the_logits(candidate, rng):
    """One row of logits per example, whatever the depth."""
    x = rng.normal(7, 6)
    for sizes in ((), (5,), (5, 4, 3)):
        result = candidate(lambda m, sizes: m.FeedForward(6, sizes, 3)(x), sizes)
        assert_true(result.shape == (7, 3), f"the logits have shape {tuple(result.shape)}")


def test_dropout_in_training_only(candidate, rng):
    """In training mode two passes differ, in evaluation mode they agree."""
    x = rng.normal(4, 6)

    def probe(m, training):
        model = m.FeedForward(6, (50,), 3, dropout=0.5, generator=torch.Generator().manual_seed(0)).train(training)
        return model(x), model(x)

    assert_true(not torch.equal(*candidate(probe, True)), "two passes in training agree", "new masks in each pass")
    assert_close(*candidate(probe, False), tolerance=0.0, what="a second pass in evaluation")


def test_history_has_an_entry_per_epoch(candidate, rng):
    """fit returns lists of losses and accuracies; an untrained network is near log(num_classes)."""
    x, labels = rng.normal(40, 6), rng.integers(0, 10, 40)
    history = candidate(
        lambda m: dict(m.fit(m.FeedForward(6, (5,), 10), (x, labels), epochs=3, lr=1e-3, batch_size=16))
    )
    assert_true(len(history["loss"]) == len(history["accuracy"]) == 3, "three epochs, three entries")
    plausible = 0.5 * math.log(10) < history["loss"][0] < 3 * math.log(10)
    assert_true(plausible, f"a first loss of {history['loss'][0]:.3g} is odd", "mean cross-entropy of logits")


def test_evaluation_does_not_depend_on_the_batches(candidate, rng):
    """Loss and accuracy are those of all examples, whatever batch_size."""
    x, labels = rng.normal(10, 6), rng.integers(0, 3, 10)

    def probe(m):
        model = m.FeedForward(6, (5,), 3, dropout=0.5, generator=torch.Generator().manual_seed(0))
        return [m.evaluate(model, (x, labels), batch_size=size) for size in (10, 4)], model.training

    (whole, pieces), training = candidate(probe)
    for name in ("loss", "accuracy"):
        assert_close(pieces[name], whole[name], tolerance=1e-5, what=name, hint="weighted by size? without dropout?")
    assert_true(training, "evaluate leaves the model in evaluation mode")


def test_reads_digits(candidate):
    """Trained with the defaults on 1200 digits, the network reads most of the others."""
    data = load_data("digits")
    x, labels = torch.from_numpy(data["images"]).flatten(1) / 16, torch.from_numpy(data["labels"])
    seen, unseen = (x[:1200], labels[:1200]), x[1200:]

    def train(m, seen, unseen):
        generator = torch.Generator().manual_seed(0)
        model = m.FeedForward(64, (64, 32), 10, dropout=0.1, generator=generator)
        history = m.fit(model, seen, generator=generator)
        return m.predict(model, unseen), history["loss"]

    predicted, loss = candidate(train, seen, unseen, deadline=30)
    accuracy = (predicted == labels[1200:]).double().mean().item()
    hint = f"the loss goes from {loss[0]:.2f} to {loss[-1]:.2f}"
    # The last digits of the file are other writers' hands: harder than a random choice.
    assert_true(accuracy > 0.85, f"only {accuracy:.1%} of the unseen digits are right", hint)


def test_refuses_a_dropout_of_one(candidate):
    """A dropout outside [0, 1) raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, dropout: m.FeedForward(3, (4,), 2, dropout=dropout).training,
        valid=(0.9,),
        refused=[((1.0,), ValueError, "a dropout of 1"), ((-0.1,), ValueError, "a negative dropout")],
    )
