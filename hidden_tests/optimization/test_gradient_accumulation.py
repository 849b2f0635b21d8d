import itertools
import math

import pytest
import torch

from graders.testing import (
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_same,
    assert_true,
    oracle,
    probe_helper,
)
from hidden_tests.battery import strided

pytestmark = pytest.mark.numerics

# Sizes of the micro-batches of a batch of 11.
SPLITS = [(4, 4, 3), (1, 7, 3), (11,), (1,) * 11, (10, 1)]
NAMES = ["0.weight", "0.bias", "2.weight", "2.bias"]
IGNORED = -1


@oracle
def forward(inputs, weight, bias, last_weight, last_bias):
    return (inputs @ weight.T + bias).tanh() @ last_weight.T + last_bias


@oracle
def mean_product(inputs, targets, *weights):
    """The mean over examples of outputs times a random cotangent, which is what the targets are here."""
    return (forward(inputs, *weights) * targets).sum() / len(inputs)


@oracle
def mean_error(inputs, targets, *weights):
    return (forward(inputs, *weights) - targets).square().sum() / len(inputs)


@oracle
def token_loss(inputs, targets, *weights):
    """The mean of the cross-entropy over the tokens that count, one by one."""
    logits = forward(inputs, *weights)
    logs = logits - logits.logsumexp(-1, keepdim=True)
    kept = [logs[place][targets[place]] for place in map(tuple, (targets != IGNORED).nonzero().tolist())]
    return -torch.stack(kept).sum() / len(kept)


@oracle
def gradients_of(function, inputs, targets, *weights):
    leaves = [weight.clone().requires_grad_() for weight in weights]
    return torch.autograd.grad(function(inputs, targets, *leaves), leaves)


@oracle
def square_of(function, inputs, targets, *weights):
    return sum(float(gradient.square().sum()) for gradient in gradients_of(function, inputs, targets, *weights))


@oracle
def trained(function, groups, weights, lr, momentum, max_norm=None, frozen=()):
    """Weights and losses after one step of gradient descent with momentum for each whole batch in groups."""
    weights, velocities, losses = [w.clone() for w in weights], [torch.zeros_like(w) for w in weights], []
    for inputs, targets in groups:
        losses.append(float(function(inputs, targets, *weights)))
        found = gradients_of(function, inputs, targets, *weights)
        gradients = [torch.zeros_like(g) if index in frozen else g for index, g in enumerate(found)]
        norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
        factor = 1.0 if max_norm is None or norm <= max_norm else max_norm / norm
        for index, gradient in enumerate(gradients):
            velocities[index] = momentum * velocities[index] + factor * gradient
            weights[index] = weights[index] - lr * velocities[index]
    return weights, losses


@probe_helper
def product_loss(outputs, targets):
    return (outputs * targets).sum() / len(targets)


@probe_helper
def error_loss(outputs, targets):
    return (outputs - targets).square().sum() / len(targets)


@probe_helper
def tokens_loss(outputs, targets):
    return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), ignore_index=-1)


@probe_helper
def count_tokens(targets):
    return int((targets != -1).sum())


@probe_helper
def build(weights):
    model = torch.nn.Sequential(
        torch.nn.Linear(weights[0].shape[1], weights[0].shape[0]),
        torch.nn.Tanh(),
        torch.nn.Linear(weights[2].shape[1], weights[2].shape[0]),
    ).to(weights[0].dtype)
    names = ["0.weight", "0.bias", "2.weight", "2.bias"]
    model.load_state_dict(dict(zip(names, weights, strict=True)))
    return model


@probe_helper
def accumulate(m, weights, loss_function, micro_batches, counted=False):
    model = build(weights)
    options = {"count": count_tokens} if counted else {}
    loss = m.accumulate_gradients(model, loss_function, micro_batches, **options)
    return loss, [parameter.grad for parameter in model.parameters()], loss.requires_grad


@probe_helper
def momentum_optimizer(parameters, lr, momentum, log):
    """Gradient descent with momentum; notes its steps in `log`."""

    class Descent:
        def __init__(self):
            self.parameters = list(parameters)
            self.velocities = [torch.zeros_like(parameter) for parameter in self.parameters]

        def zero_grad(self, set_to_none=True):
            for parameter in self.parameters:
                parameter.grad = None if set_to_none else torch.zeros_like(parameter)

        @torch.no_grad()
        def step(self):
            log.append("step")
            for parameter, velocity in zip(self.parameters, self.velocities, strict=True):
                if parameter.grad is not None:
                    velocity.mul_(momentum).add_(parameter.grad)
                    parameter.sub_(lr * velocity)

    return Descent()


@probe_helper
def train(m, weights, loss_function, micro_batches, options, counted=False, partly=False):
    """Weights after an epoch that begins with a stale gradient, and the losses; `partly` with the last bias frozen and a
    parameter that takes no part."""
    model = build(weights)
    if partly:
        model.register_parameter("idle", torch.nn.Parameter(torch.ones(2)))
        model[2].bias.requires_grad_(False)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 100.0)
    optimizer = momentum_optimizer(model.parameters(), 0.05, 0.9, [])
    stream = ((inputs, targets) for inputs, targets in micro_batches)
    count = {"count": count_tokens} if counted else {}
    losses = m.train_epoch(model, optimizer, loss_function, stream, **options, **count)
    return [parameter.detach() for layer in (model[0], model[2]) for parameter in layer.parameters()], losses


def draw_weights(rng, dtype=torch.float64, features=3, hidden=5, outputs=2):
    shapes = [(hidden, features), (hidden,), (outputs, hidden), (outputs,)]
    return [rng.normal(*shape, dtype=dtype, scale=0.7) for shape in shapes]


def draw(rng, sizes, dtype=torch.float64, features=3, outputs=2):
    """Micro-batches of these sizes, far from alike, so that their weights matter."""
    return [
        (rng.normal(size, features, dtype=dtype), (index + 1) * rng.normal(size, outputs, dtype=dtype))
        for index, size in enumerate(sizes)
    ]


def joined(pairs):
    inputs, targets = zip(*pairs, strict=True)
    return torch.cat(inputs), torch.cat(targets)


@pytest.mark.points(3)
def test_loss_is_that_of_the_whole_batch(candidate, rng):
    """The loss is the mean over all examples together, however they are split, in the dtype of the model."""
    for dtype in (torch.float32, torch.float64):
        for sizes in SPLITS:
            weights, parts = draw_weights(rng, dtype), draw(rng, sizes, dtype)
            loss, _, graph = candidate(accumulate, weights, error_loss, parts)
            hint = "micro-batches of different sizes have different weights"
            assert_matches(loss, mean_error, *joined(parts), *weights, what="the loss", hint=hint)
            assert_true(not graph, "the loss has a graph", "it would keep the graphs of all micro-batches")


@pytest.mark.gradients
@pytest.mark.points(4)
def test_gradients_are_those_of_the_whole_batch(candidate, rng):
    """The gradient of every parameter is that of the mean loss over all examples together, however they are split."""
    for dtype in (torch.float32, torch.float64):
        for sizes in SPLITS:
            weights, parts = draw_weights(rng, dtype), draw(rng, sizes, dtype)
            inputs, targets = joined(parts)
            _, gradients, _ = candidate(accumulate, weights, product_loss, parts)
            cotangent = targets / len(targets)
            hint = "each micro-batch weighs its examples over all examples"
            assert_gradients(
                gradients, lambda *w, x=inputs: forward(x.to(w[0]), *w), weights, cotangent, names=NAMES, hint=hint
            )


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_a_curved_loss(candidate, rng):
    """Gradients of a loss that is not linear in the outputs are those of the whole batch as well."""
    for sizes in SPLITS:
        weights, parts = draw_weights(rng), draw(rng, sizes)
        _, gradients, _ = candidate(accumulate, weights, error_loss, parts)
        expected = gradients_of(mean_error, *joined(parts), *weights)
        for name, mine, theirs in zip(NAMES, gradients, expected, strict=True):
            # The same sums of 11 terms in another order, in float64.
            assert_close(mine, theirs, tolerance=1e-12, what=f"the gradient of {name}")


def draw_tokens(rng, shares, classes=4, dtype=torch.float64):
    """Micro-batches of sequences, of which a share of the tokens counts; the first token of a share above 0 does."""
    parts = []
    for share in shares:
        targets = torch.where(rng.boolean(3, 6, p=share), rng.integers(0, classes, 3, 6), torch.tensor(IGNORED))
        if share > 0:
            targets[0, 0] = 1
        parts.append((rng.normal(3, 6, 3, dtype=dtype), targets))
    return parts


@pytest.mark.gradients
@pytest.mark.points(3)
@pytest.mark.parametrize("shares", [(1.0, 0.2), (0.5, 0.0, 0.9), (0.0, 0.3), (0.1, 0.9, 0.5)])
def test_tokens_that_do_not_count(candidate, rng, shares):
    """With `count` each micro-batch weighs what counts in it, and one in which nothing counts contributes nothing."""
    weights, parts = draw_weights(rng, outputs=4), draw_tokens(rng, shares)
    loss, gradients, _ = candidate(accumulate, weights, tokens_loss, parts, True)
    whole, hint = joined(parts), "the weight is what counts, not the number of sequences; 0 · NaN is NaN"
    assert_matches(loss, lambda *w: token_loss(*whole, *w), *weights, what="the loss", hint=hint)
    expected = gradients_of(token_loss, *whole, *weights)
    for name, mine, theirs in zip(NAMES, gradients, expected, strict=True):
        # Sums of at most 54 terms in another order, in float64.
        assert_close(mine, theirs, tolerance=1e-12, what=f"the gradient of {name}", hint=hint)


@probe_helper
def accumulate_on_top(m, weights, micro_batches, before):
    """A model of which one parameter is frozen and another takes no part, with gradients that are there already."""
    model = build(weights)
    model.register_parameter("idle", torch.nn.Parameter(torch.ones(2)))
    model[2].bias.requires_grad_(False)
    model[0].weight.grad = before.clone()
    m.accumulate_gradients(model, error_loss, micro_batches)
    return [parameter.grad for parameter in model.parameters()]


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_are_added(candidate, rng):
    """Gradients that are there are added to, and parameters that are frozen or take no part are left without."""
    weights, parts, before = draw_weights(rng), draw(rng, (4, 3)), rng.normal(5, 3, dtype=torch.float64)
    gradients = candidate(accumulate_on_top, weights, parts, before)
    expected = gradients_of(mean_error, *joined(parts), *weights)
    idle, first, bias, last, frozen = gradients
    hint = "as backward() does: add, and only where a gradient flows"
    for mine, theirs, name in (
        (first, before + expected[0], NAMES[0]),
        (bias, expected[1], NAMES[1]),
        (last, expected[2], NAMES[2]),
    ):
        assert_true(mine is not None, f"the gradient of {name} is missing")
        assert_close(mine, theirs, tolerance=1e-12, what=f"the gradient of {name}", hint=hint)  # float64, as above
    assert_true(idle is None and frozen is None, "a parameter that takes no part has got a gradient", hint)


@probe_helper
def watch(m, function, weights, micro_batches, counted=False, training=True):
    """What happens in which order: forward passes with their sizes, and backward passes. How many earlier graphs each forward
    pass finds alive, whether it runs in training mode. The model's mode and what is frozen in it afterwards."""
    model, events, hidden, alive, modes = build(weights), [], [], [], []
    model[2].bias.requires_grad_(False)

    class Watched(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            events.append(("forward", len(x)))
            # Only graphs hold what lies between two layers.
            alive.append(sum(tensor() is not None for tensor in hidden))
            modes.append(self.training)
            between = self.inner[1](self.inner[0](x))
            hidden.append(torch.utils.weak.TensorWeakRef(between))
            result = self.inner[2](between)
            result.register_hook(lambda gradient: events.append(("backward", len(gradient))))
            return result

    watched = Watched().train(training)
    loss_function, count = (tokens_loss, {"count": count_tokens}) if counted else (error_loss, {})
    if function == "accumulate_gradients":
        m.accumulate_gradients(watched, loss_function, micro_batches, **count)
    elif function == "train_epoch":
        optimizer = momentum_optimizer(model.parameters(), 0.05, 0.9, [])
        m.train_epoch(watched, optimizer, loss_function, micro_batches, accumulation_steps=len(micro_batches), **count)
    else:
        inputs, targets = (torch.cat(each) for each in zip(*micro_batches, strict=True))
        m.gradient_squares(watched, loss_function, inputs, targets, micro_batch_size=len(micro_batches[0][0]))
    trainable = [parameter.requires_grad for parameter in watched.parameters()]
    return events, alive, [*modes, watched.training], trainable


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_one_graph_at_a_time(candidate, rng):
    """The graph of each micro-batch is gone before the next is computed, and each is computed once, in order."""
    order = "graphs that wait for one another cost the memory of the whole batch"
    for function in ("accumulate_gradients", "train_epoch"):
        sizes = (4, 2, 5)
        events, alive, *_ = candidate(watch, function, draw_weights(rng), draw(rng, sizes))
        expected = [(what, size) for size in sizes for what in ("forward", "backward")]
        what = f"forward and backward passes of {function} run in another order or number"
        assert_true(events == expected, what, order)
        hint = "what keeps it: retain_graph=True, or a loss that is kept with its graph?"
        assert_true(not any(alive), f"{function} computes a micro-batch while the graph of another is there", hint)
        events, *_ = candidate(watch, function, draw_weights(rng, outputs=4), draw_tokens(rng, (0.5, 0.0, 0.7)), True)
        expected = [("forward", 3), ("backward", 3)] * 2
        assert_true(events == expected, f"{function} should not compute a micro-batch that counts 0")
    _, alive, *_ = candidate(watch, "gradient_squares", draw_weights(rng), draw(rng, (2, 2, 2)))
    assert_true(alive, "gradient_squares does not call the model")
    assert_true(not any(alive), "gradient_squares computes a small batch while the graph of another is there", order)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_model_keeps_its_state(candidate, rng):
    """The model is called in the mode that it is in and keeps it, and what is frozen stays frozen."""
    for function in ("accumulate_gradients", "train_epoch", "gradient_squares"):
        for training in (True, False):
            *_, modes, trainable = candidate(watch, function, draw_weights(rng), draw(rng, (2, 2)), False, training)
            assert_true(len(modes) > 1, f"{function} does not call the model")
            hint = "dropout and the like depend on the mode: whether it trains is up to the caller"
            assert_true(set(modes) == {training}, f"{function} changes the mode of the model", hint)
            assert_true(trainable == [True] * 3 + [False], f"{function} changes which parameters require gradients")


@pytest.mark.points(4)
@pytest.mark.parametrize(
    ("sizes", "steps"), [((4, 4, 4, 4), 2), ((4, 4, 4, 4, 2), 2), ((3, 3, 3, 1), 3), ((5, 2), 4), ((4, 3, 2), 1)]
)
def test_steps_of_whole_batches(candidate, rng, sizes, steps):
    """An epoch makes the steps of whole batches: of `accumulation_steps` micro-batches each, and of what is left."""
    weights, parts = draw_weights(rng), draw(rng, sizes)
    groups = [joined(parts[start : start + steps]) for start in range(0, len(parts), steps)]
    mine, losses = candidate(train, weights, error_loss, parts, {"accumulation_steps": steps})
    expected, their_losses = trained(mean_error, groups, weights, 0.05, 0.9)
    hint = "leftover micro-batches, the size of the last one, gradients from before the epoch"
    assert_true(len(losses) == len(groups), "the number of losses is not that of steps", hint)
    assert_true(all(isinstance(loss, float) for loss in losses), "the losses are not floats")
    # A few steps in float64: rounding of 1e-16 grows by less than 1e4.
    mine_losses, losses_of_batches = (torch.tensor(each, dtype=torch.float64) for each in (losses, their_losses))
    rounded = "the mean over all micro-batches of a step; is it rounded to float32 on the way?"
    assert_close(mine_losses, losses_of_batches, tolerance=1e-12, what="the losses of the steps", hint=rounded)
    for name, weight, theirs in zip(NAMES, mine, expected, strict=True):
        assert_close(weight, theirs, tolerance=1e-12, what=f"{name} after the epoch", hint=hint)


@pytest.mark.points(3)
def test_clipped_once_per_step(candidate, rng):
    """The gradient of a step is clipped once, after all of its micro-batches, by the norm of all parameters together; those
    without a gradient are left out."""
    weights, parts = draw_weights(rng), draw(rng, (4, 4, 1, 4, 3))
    groups = [joined(parts[:2]), joined(parts[2:4]), joined(parts[4:])]
    for max_norm, frozen in ((0.01, ()), (0.5, ()), (1e6, ()), (0.5, (3,))):
        options = {"accumulation_steps": 2, "max_norm": max_norm}
        mine, _ = candidate(train, weights, error_loss, parts, options, False, bool(frozen))
        expected, _ = trained(mean_error, groups, weights, 0.05, 0.9, max_norm, frozen)
        for name, start, weight, theirs in zip(NAMES, weights, mine, expected, strict=True):
            # max_norm / norm is granted 1e-5, or 1e-6 beside a norm of 0.5 and more; three steps add up at most that.
            what = f"the way of {name} in the epoch"
            hint = "clipping is not linear: parts that are clipped do not sum up to the clipped sum"
            assert_close(weight - start, theirs - start, tolerance=3e-5, what=what, hint=hint)


@pytest.mark.points(2)
def test_steps_over_tokens(candidate, rng):
    """An epoch with `count` weighs what counts in each micro-batch."""
    weights, parts = draw_weights(rng, outputs=4), draw_tokens(rng, (1.0, 0.1, 0.4, 0.0, 0.6))
    mine, _ = candidate(train, weights, tokens_loss, parts, {"accumulation_steps": 2}, True)
    groups = [joined(parts[:2]), joined(parts[2:4]), parts[4]]
    expected, _ = trained(token_loss, groups, weights, 0.05, 0.9)
    for name, weight, theirs in zip(NAMES, mine, expected, strict=True):
        # A few steps in float64, as above.
        assert_close(
            weight, theirs, tolerance=1e-12, what=f"{name} after the epoch", hint="what counts is not len(targets)"
        )


@probe_helper
def watch_epoch(m, weights, micro_batches, steps):
    """Reads of the stream and steps in their order."""
    log = []

    class Stream:
        def __iter__(self):
            log.append("start")
            for pair in micro_batches:
                log.append("read")
                yield pair

    model = build(weights)
    optimizer = momentum_optimizer(model.parameters(), 0.05, 0.9, log)
    m.train_epoch(model, optimizer, error_loss, Stream(), accumulation_steps=steps)
    return log


@pytest.mark.behaviour
@pytest.mark.points(3)
@pytest.mark.parametrize(("number", "steps"), [(6, 2), (7, 3), (2, 5), (3, 1)])
def test_stream_is_read_as_it_is_needed(candidate, rng, number, steps):
    """Micro-batches are read once, none of them before the steps of earlier ones are made."""
    log = candidate(watch_epoch, draw_weights(rng), draw(rng, (2,) * number), steps)
    expected = ["start"]
    for start in range(0, number, steps):
        expected += ["read"] * min(steps, number - start) + ["step"]
    hint = "an epoch may be larger than memory: no list of it"
    assert_true(log == expected, "reads and steps come in another order or number", hint)


@pytest.mark.behaviour
def test_empty_epoch(candidate, rng):
    """An epoch without micro-batches makes no step and gives no losses."""
    weights = draw_weights(rng)
    mine, losses = candidate(train, weights, error_loss, [], {"accumulation_steps": 2})
    assert_true(losses == [], "there are losses without a step")
    for weight, sent in zip(mine, weights, strict=True):
        assert_same(weight, sent, "a parameter")


@probe_helper
def call_with_strides(m, weights, inputs, targets):
    model = build(weights)
    sent = [(inputs[:4], targets[:4]), (inputs[4:], targets[4:])]
    loss = m.accumulate_gradients(model, error_loss, sent)
    squares = m.gradient_squares(model, error_loss, inputs[:6], targets[:6], micro_batch_size=2)
    return loss, [parameter.grad for parameter in model.parameters()], squares, inputs, targets


def test_strides_and_untouched_inputs(candidate, rng):
    """Inputs and targets may have any strides and are left as they were."""
    weights, (inputs, targets) = draw_weights(rng), joined(draw(rng, (4, 3)))
    loss, gradients, squares, *after = candidate(call_with_strides, weights, strided(inputs), strided(targets))
    assert_matches(loss, mean_error, inputs, targets, *weights, what="the loss")
    for mine, theirs in zip(gradients, gradients_of(mean_error, inputs, targets, *weights), strict=True):
        assert_close(mine, theirs, tolerance=1e-12, what="a gradient")  # sums of 7 terms in float64
    assert_close(squares[1], square_of(mean_error, inputs[:6], targets[:6], *weights), tolerance=1e-12, what="a square")
    assert_same(tuple(after), (inputs, targets), "inputs or targets")


@probe_helper
def square(m, weights, inputs, targets, size, scale=1.0):
    """Squares of gradients that are `scale` times those of the error, and the gradients that are there afterwards."""
    model = build(weights)
    model.register_parameter("idle", torch.nn.Parameter(torch.ones(2)))
    model[2].bias.requires_grad_(False)
    model[0].weight.grad = torch.full_like(model[0].weight, 3.0)
    squares = m.gradient_squares(
        model, lambda outputs, aims: scale * error_loss(outputs, aims), inputs, targets, micro_batch_size=size
    )
    return squares, [parameter.grad for parameter in model.parameters()]


@pytest.mark.points(3)
@pytest.mark.parametrize(("batch", "size"), [(12, 3), (12, 1), (8, 4), (2, 1)])
def test_squared_norms(candidate, rng, batch, size):
    """`gradient_squares` gives the mean of the small batches' squared norms and the squared norm of the whole, also of
    gradients of 1e-25 and of 1e25."""
    for dtype, scale in ((torch.float32, 1.0), (torch.float64, 1.0), (torch.float32, 1e-25), (torch.float32, 1e25)):
        weights, ((inputs, targets),) = draw_weights(rng, dtype), draw(rng, (batch,), dtype)
        squares, _ = candidate(square, weights, inputs, targets, size, scale)
        wide = [weight.double() for weight in weights]
        x, y = inputs.double(), targets.double()

        def of_trained(gradients):
            """Without the bias that is frozen."""
            return sum(float(gradient.square().sum()) for gradient in gradients[:3])

        parts = [gradients_of(mean_error, a, b, *wide) for a, b in zip(x.split(size), y.split(size), strict=True)]
        small = sum(map(of_trained, parts)) / len(parts)
        big = of_trained(gradients_of(mean_error, x, y, *wide))
        # Sums of at most 12 gradients and 27 squares; the whole gradient may be ten times smaller than its parts.
        tolerance = 1e-11 if dtype == torch.float64 else 1e-4
        for value, expected, what in zip(
            squares, (small, big), ("of small batches", "of the whole batch"), strict=True
        ):
            assert_true(isinstance(value, float), f"the square {what} is not a float")
            hint = "squares of norms, all parameters together; the whole gradient is the mean of the small ones"
            if scale != 1.0:
                hint = "what is the square of 1e25, or of 1e-25, in float32?"
            what = f"the squared norm {what}"
            assert_close(value / scale**2, expected, tolerance=tolerance, what=what, hint=hint)


@pytest.mark.behaviour
def test_squares_leave_gradients_alone(candidate, rng):
    """`gradient_squares` leaves every `.grad` as it is."""
    weights, ((inputs, targets),) = draw_weights(rng), draw(rng, (6,))
    squares, gradients = candidate(square, weights, inputs, targets, 2)
    kept = gradients[1]
    assert_true(all(g is None for i, g in enumerate(gradients) if i != 1), "a parameter has got a gradient")
    assert_true(kept is not None and (kept == 3).all(), "a gradient that was there has changed", "torch.autograd.grad")
    assert_true(squares[0] > 0 and squares[1] > 0, "squares should be positive")


@oracle
def solved(small_squares, big_squares, small_size, big_size):
    """The two equations E|G_B|² = |G|² + tr(Σ) / B solved as a linear system, then averages, then their ratio."""
    matrix = torch.tensor([[1 / small_size, 1.0], [1 / big_size, 1.0]], dtype=torch.float64)
    squares = torch.tensor([small_squares, big_squares], dtype=torch.float64)
    trace, signal = torch.linalg.solve(matrix, squares).mean(-1).tolist()
    return trace, signal, math.inf if signal <= 0 else max(trace, 0.0) / signal


@pytest.mark.points(3)
def test_noise_scale(candidate, rng):
    """`noise_scale` solves the two equations, averages over measurements, and divides last."""
    for number, small_size, big_size in ((1, 1, 2), (5, 4, 32), (20, 3, 7), (3, 100, 101)):
        # In these ranges both estimates stay well above 0, where the ratio would be sensitive.
        trace, signal = 5.0 * small_size, 2.0
        small = (signal + trace / small_size * rng.uniform(number, low=0.7, high=1.0, dtype=torch.float64)).tolist()
        big = (signal + trace / big_size * rng.uniform(number, low=1.0, high=1.2, dtype=torch.float64)).tolist()
        if big_size == 101:  # close sizes: squares that fit
            small, big = [signal + trace / small_size] * number, [signal + trace / big_size] * number
        result = candidate(
            lambda m, *a: m.noise_scale(*a[:2], small_size=a[2], big_size=a[3]), small, big, small_size, big_size
        )
        expected = solved(small, big, small_size, big_size)
        assert_true(len(result) == 3, "the result is not three numbers")
        assert_true(all(isinstance(value, float) for value in result), "the estimates are not floats")
        for value, theirs, what in zip(result, expected, ("tr(Σ)", "|G|²", "the scale"), strict=True):
            # Float64; sizes of 100 and 101 cost four digits.
            hint = "two equations, two unknowns; a ratio of averages, not an average of ratios"
            assert_close(value, theirs, tolerance=1e-9, what=f"the estimate of {what}", hint=hint)


@pytest.mark.points(2)
def test_noise_scale_at_the_edges(candidate):
    """Without noise the scale is 0, without a signal it is inf, also where an estimate is negative."""
    cases = [
        ([5.0], [5.0], (0.0, 5.0, 0.0)),
        ([4.0], [5.0], (-4.0, 6.0, 0.0)),
        ([2.0], [1.25], (3.0, 0.5, 6.0)),
        ([6.0], [3.0], (12.0, 0.0, math.inf)),
        ([9.0], [2.0], (28.0, -5.0, math.inf)),
        ([0.0], [0.0], (0.0, 0.0, math.inf)),
        ([9.0, 5.0], [2.0, 5.0], (14.0, 0.0, math.inf)),
        ([8.0, 4.0], [2.0, 6.0], (8.0, 2.0, 4.0)),
    ]
    for small, big, expected in cases:
        result = candidate(lambda m, *squares: m.noise_scale(*squares, small_size=2, big_size=4), small, big)
        for value, theirs, what in zip(result, expected, ("tr(Σ)", "|G|²", "the scale"), strict=True):
            # Small integers: rounding only.
            assert_close(
                value, theirs, tolerance=1e-12, what=f"{what} at an edge", hint="single estimates may be negative"
            )


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_noise_scale_of_a_known_model(candidate, rng):
    """Over all pairs of examples of a small data set the estimates are exactly its |G|² and tr(Σ)."""
    features = torch.ones(6, 1, dtype=torch.float64)
    aims = rng.normal(6, 2, dtype=torch.float64)

    def probe(m):
        """A linear model without input: the gradient of an example is minus twice its target."""
        model = torch.nn.Linear(1, 2, bias=False, dtype=torch.float64)
        torch.nn.init.zeros_(model.weight)
        small, big = [], []
        for pair in itertools.product(range(6), repeat=2):
            pair = list(pair)
            squares = m.gradient_squares(model, error_loss, features[pair], aims[pair], micro_batch_size=1)
            small.append(squares[0])
            big.append(squares[1])
        return m.noise_scale(small, big, small_size=1, big_size=2)

    trace, signal, scale = candidate(probe)
    gradients = -2 * aims
    mean = gradients.mean(0)
    true_trace, true_signal = float((gradients - mean).square().sum() / 6), float(mean.square().sum())
    # Averages of 36 numbers in float64; |G|² may be small beside the squares, by 1e-6 but for a chance of 6e-6 · 1e-1.
    assert_close(trace, true_trace, tolerance=1e-9, what="tr(Σ)", hint="right on average: no bias from the noise")
    larger = true_trace + true_signal
    assert_close(signal / larger, true_signal / larger, tolerance=1e-9, what="|G|²", hint="right on average")
    assert_true(signal <= 0 or scale > 0, "the scale should be positive")


@pytest.mark.points(2)
def test_learning_rates(candidate, rng):
    """`scaled_lr` is linear in the batch size, and climbs from base_lr in a straight line over the warm-up."""
    base = float(rng.uniform(1, low=0.01, high=0.5))
    cases = [(64, 256, 0, 0), (64, 256, 7, 0), (64, 32, 3, 0), (100, 100, 0, 5), (1, 1, 1, 2)]
    cases += [(32, 256, step, 8) for step in (0, 1, 4, 7, 8, 9, 1000)]
    cases += [(256, 32, step, 5) for step in (0, 2, 5, 6)]
    for base_batch, batch, step, warmup in cases:
        share = 1.0 if warmup == 0 else min(step / warmup, 1.0)
        expected = base * ((1 - share) + share * batch / base_batch)
        sizes = {"base_batch_size": base_batch, "batch_size": batch}
        result = candidate(
            lambda m, *a, sizes=sizes: m.scaled_lr(a[0], step=a[1], warmup_steps=a[2], **sizes), base, step, warmup
        )
        assert_true(isinstance(result, float), "the learning rate is not a float")
        hint = "where does the line start, where does it end, and at which step?"
        assert_close(result, expected, tolerance=1e-12, what="the learning rate", hint=hint)
    zero = candidate(lambda m: m.scaled_lr(0.0, base_batch_size=2, batch_size=8))
    assert_close(zero, 0.0, tolerance=0.0, what="the scaled rate of 0")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_accumulation_refuses_bad_arguments(candidate):
    """No micro-batches, lengths that differ, nothing that counts, and numbers out of range raise ValueError."""
    x, y, none = torch.ones(4, 3), torch.ones(4, 2), torch.full((4,), IGNORED)
    weights = [torch.ones(5, 3), torch.ones(5), torch.ones(2, 5), torch.ones(2)]

    def call(m, what, micro_batches, options, counted):
        model = build(weights)
        count = {"count": count_tokens} if counted else {}
        loss = (lambda outputs, targets: outputs.mean()) if counted else error_loss
        if what == "accumulate":
            m.accumulate_gradients(model, loss, micro_batches, **count)
        else:
            m.train_epoch(
                model, momentum_optimizer(model.parameters(), 0.1, 0.5, []), loss, micro_batches, **options, **count
            )

    one = {"accumulation_steps": 1}
    refused = [
        (("accumulate", [], {}, False), ValueError, "a list of no micro-batches"),
        (("accumulate", [(x[:0], y[:0])], {}, False), ValueError, "micro-batches without examples"),
        (("accumulate", [(x, none)], {}, True), ValueError, "a batch in which nothing counts"),
        (("epoch", [(x, none)], one, True), ValueError, "a step in which nothing counts"),
    ]
    refused += [
        ((what, [(x, y), (x, y[:1])], one, False), ValueError, "a length of targets of 1")
        for what in ("accumulate", "epoch")
    ]
    refused += [
        (("epoch", [(x, y)], {"accumulation_steps": steps}, False), ValueError, f"accumulation_steps = {steps}")
        for steps in (0, -1)
    ]
    refused += [
        (("epoch", [(x, y)], {**one, "max_norm": norm}, False), ValueError, f"max_norm = {norm}")
        for norm in (0.0, -1.0, math.nan)
    ]
    refused += [
        (("epoch", [], {"accumulation_steps": 0}, False), ValueError, "accumulation_steps = 0 of an empty epoch")
    ]
    for valid in (
        ("accumulate", [(x, y), (x[:0], y[:0])], {}, False),
        ("epoch", [(x, y)], {**one, "max_norm": 1e-3}, False),
    ):
        assert_refuses(candidate, call, valid=valid, refused=refused)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_others_refuse_bad_arguments(candidate):
    """Sizes, squares and rates out of range raise ValueError."""
    x, y = torch.ones(6, 3), torch.ones(6, 2)
    weights = [torch.ones(5, 3), torch.ones(5), torch.ones(2, 5), torch.ones(2)]

    def squares(m, inputs, targets, size):
        m.gradient_squares(build(weights), error_loss, inputs, targets, micro_batch_size=size)

    refused = [
        ((x, y, size), ValueError, f"micro_batch_size = {size} of 6 examples") for size in (0, -1, -2, 4, 5, 6, 12)
    ]
    refused += [((x, y[:1], 1), ValueError, "one target for 6 inputs"), ((x[:0], y[:0], 1), ValueError, "no examples")]
    for size in (1, 2, 3):
        assert_refuses(candidate, squares, valid=(x, y, size), refused=refused)

    def scale(m, small, big, small_size, big_size):
        m.noise_scale(small, big, small_size=small_size, big_size=big_size)

    refused = [
        (([1.0], [1.0], sizes[0], sizes[1]), ValueError, f"sizes of {sizes[0]} and {sizes[1]}")
        for sizes in ((0, 2), (-1, 2), (2, 2), (3, 2))
    ]
    refused += [
        (([], [], 1, 2), ValueError, "no measurements"),
        (([1.0, 2.0], [1.0], 1, 2), ValueError, "more small squares than big ones"),
        (([1.0], [1.0, 2.0], 1, 2), ValueError, "more big squares than small ones"),
    ]
    assert_refuses(candidate, scale, valid=([1.0], [1.0], 1, 2), refused=refused)

    def rate(m, lr, base, batch, step, warmup):
        m.scaled_lr(lr, base_batch_size=base, batch_size=batch, step=step, warmup_steps=warmup)

    refused = [
        ((-0.1, 1, 1, 0, 0), ValueError, "a negative base_lr"),
        ((math.nan, 1, 1, 0, 0), ValueError, "a base_lr of NaN"),
        ((0.1, 0, 1, 0, 0), ValueError, "base_batch_size = 0"),
        ((0.1, 1, 0, 0, 0), ValueError, "batch_size = 0"),
        ((0.1, 1, -4, 0, 0), ValueError, "a negative batch_size"),
        ((0.1, 1, 1, -1, 0), ValueError, "a negative step"),
        ((0.1, 1, 1, -1, 5), ValueError, "a negative step in a warm-up"),
        ((0.1, 1, 1, 0, -1), ValueError, "negative warmup_steps"),
    ]
    for valid in ((0.1, 1, 1, 0, 0), (0.0, 1, 1, 0, 1)):
        assert_refuses(candidate, rate, valid=valid, refused=refused)


@probe_helper
def accumulate_on_cuda(m, weights, micro_batches):
    model = build(weights).cuda()
    parts = [(inputs.cuda(), targets.cuda()) for inputs, targets in micro_batches]
    loss = m.accumulate_gradients(model, error_loss, parts)
    return loss, [parameter.grad for parameter in model.parameters()], loss.device.type


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """A model on CUDA gets its gradients there, and the loss is there as well."""
    weights, parts = draw_weights(rng, torch.float32), draw(rng, (4, 3), torch.float32)
    loss, gradients, device = candidate(accumulate_on_cuda, weights, parts)
    assert_true(device == "cuda", f"the loss is on the {device}, not on the device of the model")
    assert_matches(loss, mean_error, *joined(parts), *weights, what="the loss on CUDA", margin=64)
    wide = [weight.double() for weight in weights]
    expected = gradients_of(mean_error, *(x.double() for x in joined(parts)), *wide)
    for mine, theirs in zip(gradients, expected, strict=True):
        # Single precision, sums of seven terms, other kernels.
        assert_close(mine, theirs.float(), tolerance=1e-4, what="a gradient on CUDA")
