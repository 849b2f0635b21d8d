import io
import math

import pytest
import torch

from graders.testing import assert_close, assert_matches, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import strided

pytestmark = pytest.mark.numerics

# Every rule once, for tests of what the optimizers share.
EACH = [
    ("SGD", {"lr": 0.1, "weight_decay": 0.03}),
    ("SGD", {"lr": 0.1, "momentum": 0.8}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.03}),
    ("RMSProp", {"lr": 0.05, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.03}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.03}),
    ("AdamW", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.03}),
]
BOTH_PATHS = [(*each, {**each[1], "foreach": foreach}) for foreach in (False, True) for each in EACH]
SHAPES = [(3, 4), (5,), (2, 1, 3)]


@oracle
def torch_optimizer(name, options, params):
    return getattr(torch.optim, name.replace("Prop", "prop"))(params, **options)


@oracle
def moved(name, options, start, gradients, rates=None):
    """Where torch.optim takes one parameter: (steps, *shape)."""
    param, path = start.clone().requires_grad_(), []
    optimizer = torch_optimizer(name, options, [param])
    for step, gradient in enumerate(gradients):
        param.grad = gradient
        if rates is not None:
            optimizer.param_groups[0]["lr"] = rates[step]
        optimizer.step()
        path.append(param.detach().clone())
    return torch.stack(path)


@probe_helper
def advance(optimizer, params, gradients, present, first, last):
    """Makes the steps first … last - 1; the parameters after each, stacked."""
    paths = [[] for _ in params]
    for step in range(first, last):
        for param, gradient, there in zip(params, gradients, present, strict=True):
            param.grad = gradient[step] if there[step] else None
        optimizer.step()
        for param, path in zip(params, paths, strict=True):
            path.append(param.detach().clone())
    return [torch.stack(path) for path in paths]


@probe_helper
def follow(m, name, options, starts, gradients, present=None):
    """Where the optimizer takes its parameters: (steps, *shape) each."""
    params = [start.requires_grad_() for start in starts]
    present = [[True] * len(gradient) for gradient in gradients] if present is None else present
    return advance(getattr(m, name)(params, **options), params, gradients, present, 0, len(gradients[0]))


@probe_helper
def follow_each(m, name, options, starts, gradients):
    """The same with an optimizer for each parameter, so that gradients may differ in number."""
    return [follow(m, name, options, [start], [own])[0] for start, own in zip(starts, gradients, strict=True)]


def draw(rng, shapes=SHAPES, steps=100, dtype=torch.float64, scale=1.0):
    starts = [rng.normal(*shape, dtype=dtype) for shape in shapes]
    return starts, [rng.normal(steps, *shape, dtype=dtype, scale=scale) for shape in shapes]


def check_paths(paths, name, options, starts, gradients, hint="", margin=16.0):
    """Every parameter went where torch.optim takes it."""
    for path, start, gradient in zip(paths, starts, gradients, strict=True):
        what = f"the path of {name}"
        assert_matches(
            path, moved, name, options, start, gradient, what=what, hint=hint, dtype=start.dtype, margin=margin
        )


def check_own_paths(candidate, paths, name, options, starts, gradients, present=None, what="the path", hint=""):
    """Every parameter went where the same optimizer takes it alone, on the plain path, with the gradients that it got.

    Compares the submission with itself, so that a wrong formula is told once and not by every test.
    """
    present = present or [[True] * len(own) for own in gradients]
    there = [torch.tensor(each) for each in present]
    got = [own[mask] for own, mask in zip(gradients, there, strict=True)]
    alone = candidate(follow_each, name, options, starts, got)
    for path, own, start, mask in zip(paths, alone, starts, there, strict=True):
        places = torch.cat([start[None], own])
        assert_true(start.numel() == 0 or not torch.equal(places[0], places[-1]), "a step moves nothing")
        # Nothing makes rounding grow along these paths: the ceiling of float64, some tens of roundings of float32.
        tolerance = 1e-9 if start.dtype == torch.float64 else 1e-5
        expected = places[mask.cumsum(0)][-len(path) :]
        assert_close(path, expected, tolerance=tolerance, what=f"{what} of {name}", hint=hint, dtype=start.dtype)


def check_options(candidate, rng, name, options, hint):
    for chosen in options:
        starts, gradients = draw(rng)
        paths = candidate(follow, name, chosen, starts, gradients)
        check_paths(paths, name, chosen, starts, gradients, hint=hint)


@pytest.mark.points(2)
def test_gradient_descent(candidate, rng):
    """Plain `SGD` makes the steps of torch.optim.SGD, with and without an L2 penalty."""
    check_options(candidate, rng, "SGD", [{}, {"lr": 0.2}, {"lr": 0.1, "weight_decay": 0.05}], "the penalty's gradient")


@pytest.mark.points(2)
def test_momentum(candidate, rng):
    """`SGD` with momentum makes the steps of torch.optim.SGD."""
    hint = "the velocity sums gradients: no dampening, no lr inside"
    options = [{"lr": 0.1, "momentum": 0.9}, {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.05}]
    check_options(candidate, rng, "SGD", options, hint)


@pytest.mark.points(2)
def test_nesterov(candidate, rng):
    """`SGD` with nesterov makes the steps of torch.optim.SGD."""
    options = [
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.5, "nesterov": True, "weight_decay": 0.05},
    ]
    check_options(candidate, rng, "SGD", options, "which velocity looks ahead, and where does the gradient enter?")


@pytest.mark.points(2)
def test_rmsprop(candidate, rng):
    """`RMSProp` makes the steps of torch.optim.RMSprop."""
    options = [{}, {"lr": 0.05, "alpha": 0.8, "eps": 0.1}, {"lr": 0.05, "weight_decay": 0.05, "alpha": 0.0}]
    check_options(candidate, rng, "RMSProp", options, "which share belongs to the old mean, and where does eps stand?")


@pytest.mark.points(3)
def test_adam(candidate, rng):
    """`Adam` makes the steps of torch.optim.Adam, from the first one on."""
    options = [
        {},
        {"lr": 0.05, "betas": (0.7, 0.9), "eps": 0.1},
        {"lr": 0.05, "betas": (0.0, 0.5)},
        {"lr": 0.05, "weight_decay": 0.05},
    ]
    check_options(candidate, rng, "Adam", options, "check the first step by hand: bias correction, eps, L2 penalty")


@pytest.mark.points(3)
def test_adamw(candidate, rng):
    """`AdamW` makes the steps of torch.optim.AdamW: the decay is decoupled from the averages."""
    options = [
        {},
        {"lr": 0.05, "weight_decay": 0.3},
        {"lr": 0.05, "weight_decay": 0.0, "betas": (0.7, 0.9), "eps": 0.1},
    ]
    hint = "does the decay pass through the averages? Which value does it shrink?"
    check_options(candidate, rng, "AdamW", options, hint)


@pytest.mark.points(2)
def test_scale_of_gradients(candidate, rng):
    """Gradients of 1e-12, 1e-8 and 1e12 are handled as torch.optim does with the default eps."""
    for name in ("RMSProp", "Adam", "AdamW"):
        for scale in (1e-12, 1e-8, 1e12):
            _, gradients = draw(rng, steps=10, dtype=torch.float32, scale=scale)
            starts = [torch.zeros(shape) for shape in SHAPES]  # so that the steps are compared, however small
            paths = candidate(follow, name, {}, starts, gradients)
            check_paths(paths, name, {}, starts, gradients, hint="where does eps stand?")


@pytest.mark.points(4)
def test_foreach(candidate, rng):
    """`foreach=True` makes the same steps as the plain path, for any number of parameters."""
    for name, options in EACH:
        for shapes in (SHAPES, [(4,)]):
            starts, gradients = draw(rng, shapes)
            paths = candidate(follow, name, {**options, "foreach": True}, starts, gradients)
            check_own_paths(candidate, paths, name, options, starts, gradients)


@pytest.mark.points(2)
def test_shapes_and_dtypes_may_be_mixed(candidate, rng):
    """One optimizer holds float32 and float64 parameters of any shapes, scalars and empty ones included."""
    shapes = [(2, 3), (), (1,), (0, 4), (1, 1, 5), (4,)]
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, shapes, steps=10)
        starts = [start.float() if index % 2 else start for index, start in enumerate(starts)]
        gradients = [gradient.to(start.dtype) for gradient, start in zip(gradients, starts, strict=True)]
        paths = candidate(follow, name, chosen, starts, gradients)
        hint = "each parameter computes in its own dtype"
        check_own_paths(candidate, paths, name, options, starts, gradients, hint=hint)


def test_strides(candidate, rng):
    """Parameters and gradients whose memory is not contiguous are updated like others."""
    hint = "view() and raw memory order need contiguous tensors"
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, [(3, 4), (2, 3, 2)], steps=5)
        sent = [strided(start) for start in starts], [strided(gradient) for gradient in gradients]
        paths = candidate(follow, name, chosen, *sent)
        check_own_paths(candidate, paths, name, options, starts, gradients, hint=hint)


@probe_helper
def follow_rates(m, name, options, start, gradients, rates):
    param, path = start.requires_grad_(), []
    optimizer = getattr(m, name)([param], **options)
    for gradient, rate in zip(gradients, rates, strict=True):
        optimizer.lr, param.grad = rate, gradient
        optimizer.step()
        path.append(param.detach().clone())
    return torch.stack(path)


@pytest.mark.points(2)
def test_lr_may_change_between_steps(candidate, rng):
    """A value assigned to `lr` is the one that the next step uses, for all that is remembered, on either path."""
    for name, options, chosen in BOTH_PATHS:
        start, gradients = rng.normal(4, 3, dtype=torch.float64), rng.normal(20, 4, 3, dtype=torch.float64)
        rates = rng.uniform(20, low=0.001, high=0.2).tolist()
        path = candidate(follow_rates, name, chosen, start, gradients, rates)
        arguments, hint = (name, options, start, gradients, rates), "nothing that is remembered may contain lr"
        assert_matches(path, moved, *arguments, what=f"the path of {name}", hint=hint)


@pytest.mark.points(3)
def test_parameters_without_a_gradient(candidate, rng):
    """A parameter whose gradient is None keeps its value, its state and its own count of steps."""
    steps = 24
    late, gap = [step >= 9 for step in range(steps)], [step not in (3, 4, 11) for step in range(steps)]
    present = [[True] * steps, late, gap]
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, steps=steps)
        paths = candidate(follow, name, chosen, starts, gradients, present)
        hint = "None is not a gradient of zeros, and each parameter counts its own steps"
        check_own_paths(candidate, paths, name, options, starts, gradients, present, hint=hint)


def test_a_gradient_of_zeros_counts(candidate, rng):
    """A gradient of zeros makes a step like any other: averages fade, counts go on, weights decay."""
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, steps=6)
        for gradient in gradients:
            gradient[[1, 4]] = 0.0
        paths = candidate(follow, name, chosen, starts, gradients)
        check_paths(paths, name, options, starts, gradients, hint="only None stands for no gradient")


@oracle
def trained(name, options, inputs, targets, weight, bias, steps):
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    optimizer = torch_optimizer(name, options, [weight, bias])
    for _ in range(steps):
        loss = (torch.nn.functional.linear(inputs, weight, bias).tanh() - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weight.detach(), bias.detach()


@probe_helper
def train(m, name, options, inputs, targets, weight, bias, steps):
    model = torch.nn.Linear(*reversed(weight.shape), dtype=weight.dtype)
    model.load_state_dict({"weight": weight, "bias": bias})
    optimizer = getattr(m, name)(model.parameters(), **options)
    for _ in range(steps):
        loss = (model(inputs).tanh() - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.weight, model.bias


def test_training_a_model(candidate, rng):
    """A model trained by autograd, its parameters given as a generator, ends where torch.optim brings it."""
    inputs, targets = rng.normal(16, 4, dtype=torch.float64), rng.normal(16, 3, dtype=torch.float64)
    weight, bias = rng.normal(3, 4, dtype=torch.float64), rng.normal(3, dtype=torch.float64)
    for name, options, chosen in BOTH_PATHS:
        arguments = (inputs, targets, weight, bias, 20)
        result = candidate(train, name, chosen, *arguments)
        # Rounding grows along the path, as each gradient depends on the parameters: a few digits above the usual.
        for mine, expected in zip(result, trained(name, options, *arguments), strict=True):
            hint = "a generator can be read only once"
            assert_close(mine, expected, tolerance=1e-7, what="the trained model", hint=hint)


@probe_helper
def follow_resumed(m, name, options, others, starts, gradients, present, half):
    """Saves to a file after `half` of the steps and goes on with new objects."""
    params = [start.requires_grad_() for start in starts]
    first = getattr(m, name)(params, **{**options, "lr": 0.3})
    first.lr = options["lr"]
    before = advance(first, params, gradients, present, 0, half)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    fresh = [param.detach().clone().requires_grad_() for param in params]
    second = getattr(m, name)(fresh, **others)
    second.load_state_dict(torch.load(file, weights_only=True))
    lr = second.lr
    after = advance(second, fresh, gradients, present, half, len(gradients[0]))
    return [torch.cat(pair) for pair in zip(before, after, strict=True)], lr


@pytest.mark.points(4)
def test_a_saved_state_resumes(candidate, rng):
    """A state from a file, loaded by a new optimizer with other settings, goes on as if nothing had happened."""
    steps, half = 16, 9
    present = [[True] * steps, [step >= 3 for step in range(steps)], [step >= 12 for step in range(steps)]]
    hint = "averages, counts of steps and settings all belong to the state; foreach does not"
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, steps=steps)
        others = {"lr": 0.5, "foreach": not chosen["foreach"]}
        paths, lr = candidate(follow_resumed, name, chosen, others, starts, gradients, present, half)
        assert_true(lr == options["lr"], "lr is not the saved one", "settings belong to the state")
        check_own_paths(candidate, paths, name, options, starts, gradients, present, hint=hint)


@probe_helper
def branch(m, name, options, starts, gradients, half):
    """Snapshot after `half` of the steps; then on to the end three times: with the same optimizer, with a new one that loads
    the snapshot, and with one that has made steps of its own before it does."""
    params, present = [start.requires_grad_() for start in starts], [[True] * 10 for _ in starts]
    optimizer = getattr(m, name)(params, **options)
    if half:
        advance(optimizer, params, gradients, present, 0, half)
    snapshot, middle = optimizer.state_dict(), [param.detach().clone() for param in params]
    ends = [advance(optimizer, params, gradients, present, half, 10)]
    for own_steps in (0, 3):
        fresh = [value.clone().requires_grad_() for value in middle]
        optimizer = getattr(m, name)(fresh, **options)
        if own_steps:
            advance(optimizer, fresh, gradients, present, 0, own_steps)
        with torch.no_grad():
            for param, value in zip(fresh, middle, strict=True):
                param.copy_(value)
        optimizer.load_state_dict(snapshot)
        ends.append(advance(optimizer, fresh, gradients, present, half, 10))
    return ends


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_a_snapshot_stays_as_it_was_taken(candidate, rng):
    """Neither the steps after `state_dict` nor those after `load_state_dict` change the snapshot, and it replaces all that an
    optimizer remembers."""
    shared = "what is shared with the optimizer changes with it"
    ways = (
        ("the path after state_dict()", shared),
        ("the path from a snapshot", shared),
        (
            "the path from a snapshot, loaded for the second time, by an optimizer that has made steps",
            "is all replaced?",
        ),
    )
    for half in (0, 5):
        for name, options, chosen in BOTH_PATHS:
            starts, gradients = draw(rng, steps=10)
            ends = candidate(branch, name, chosen, starts, gradients, half)
            for end, (what, hint) in zip(ends, ways, strict=True):
                check_own_paths(candidate, end, name, options, starts, gradients, what=what, hint=hint)


@probe_helper
def follow_another(m, name, options, starts, gradients):
    """The path of an optimizer whose parameters another one has moved before, and that were put back."""
    params, present = [start.clone().requires_grad_() for start in starts], [[True] * 5 for _ in starts]
    advance(getattr(m, name)(params, **options), params, gradients, present, 0, 3)
    with torch.no_grad():
        for param, start in zip(params, starts, strict=True):
            param.copy_(start)
    return advance(getattr(m, name)(params, **options), params, gradients, present, 0, 5)


@pytest.mark.behaviour
def test_optimizers_remember_for_themselves(candidate, rng):
    """What an optimizer remembers is its own, not that of its parameters or of its class."""
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, steps=5)
        paths = candidate(follow_another, name, chosen, starts, gradients)
        hint = "another optimizer made steps with the same parameters before"
        check_own_paths(candidate, paths, name, options, starts, gradients, hint=hint)


@probe_helper
def step_on_kept_gradients(m, name, options, starts, gradients):
    """The same gradient tensors serve all steps; what they hold after each step."""
    params, kept = [start.requires_grad_() for start in starts], []
    for param in params:
        param.grad = torch.zeros_like(param)
    held = [param.grad for param in params]
    optimizer = getattr(m, name)(params, **options)
    for step in range(len(gradients[0])):
        for param, gradient in zip(params, gradients, strict=True):
            param.grad.copy_(gradient[step])
        optimizer.step()
        kept.append([param.grad.clone() for param in params])
    return [torch.stack(each) for each in zip(*kept, strict=True)], held, [param[None] for param in params]


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_gradients_are_left_alone(candidate, rng):
    """A step neither changes a gradient nor keeps it: the same gradient tensors may be refilled for the next step."""
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, steps=5)
        kept, held, ends = candidate(step_on_kept_gradients, name, chosen, starts, gradients)
        for after, last, gradient in zip(kept, held, gradients, strict=True):
            assert_same(after, gradient, "a gradient")
            assert_same(last, gradient[-1], "a gradient")
        hint = "a buffer that is the gradient itself changes with the next one"
        check_own_paths(candidate, ends, name, options, starts, gradients, what="the end", hint=hint)


@probe_helper
def step_and_look(m, name, options, starts, gradients):
    params = [start.requires_grad_() for start in starts]
    views, places = [param.detach() for param in params], [param.data_ptr() for param in params]
    optimizer = getattr(m, name)(params, **options)
    for step in range(2):
        for param, gradient in zip(params, gradients, strict=True):
            param.grad = gradient[step]
        optimizer.step()
    leaves = [param.is_leaf and param.requires_grad for param in params]
    pending, graphs = [optimizer.state_dict()], []
    while pending:
        value = pending.pop()
        if isinstance(value, torch.Tensor):
            graphs.append(value.requires_grad)
        elif isinstance(value, dict | list | tuple):
            pending += value.values() if isinstance(value, dict) else value
    return (
        [view[None] for view in views],
        leaves,
        graphs,
        [param.data_ptr() - place for param, place in zip(params, places, strict=True)],
    )


@pytest.mark.behaviour
def test_parameters_are_changed_in_place(candidate, rng):
    """A step changes the parameters' own memory, outside of autograd: they stay leaves that require gradients."""
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, steps=2)
        views, leaves, graphs, shifts = candidate(step_and_look, name, chosen, starts, gradients)
        hint = "others hold views of the parameters: write into them"
        assert_true(all(leaves), "a parameter is no longer a leaf that requires gradients", "no autograd in a step")
        what = "what is remembered requires gradients"
        assert_true(not any(graphs), what, "a graph that grows with every step: no autograd in a step")
        assert_true(not any(shifts), "a parameter has moved to other memory", hint)
        check_own_paths(candidate, views, name, options, starts, gradients, what="a view", hint=hint)


@probe_helper
def clear_gradients(m, name, options, starts):
    params = [start.requires_grad_() for start in starts]
    for param in params[1:]:
        param.grad = torch.ones_like(param)
    optimizer = getattr(m, name)(params, **options)
    optimizer.zero_grad()
    cleared = [param.grad is None for param in params]
    optimizer.step()
    return cleared, params


@pytest.mark.behaviour
def test_zero_grad(candidate, rng):
    """`zero_grad` sets every gradient to None, so that a step without a new gradient moves nothing."""
    for name, _, chosen in BOTH_PATHS:
        starts, _ = draw(rng, steps=1)
        cleared, after = candidate(clear_gradients, name, chosen, starts)
        assert_true(all(cleared), "a gradient is still there after zero_grad", "None, not zeros")
        assert_same(after, starts, "a parameter")


@probe_helper
def build(m, name, shapes, options):
    optimizer = getattr(m, name)([torch.zeros(shape, requires_grad=True) for shape in shapes], **options)
    return optimizer.lr


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_numbers_out_of_range(candidate):
    """A number out of its range, NaN included, and nesterov without momentum raise ValueError."""
    wrong = {
        "SGD": [{"momentum": -0.1}, {"momentum": math.nan}, {"nesterov": True}, {"momentum": 0.0, "nesterov": True}],
        "RMSProp": [{"alpha": -0.1}, {"alpha": 1.0}, {"alpha": math.nan}, {"eps": -1e-8}, {"eps": math.nan}],
        "Adam": [{"betas": pair} for pair in ((-0.1, 0.9), (1.0, 0.9), (0.9, 1.0), (0.9, -0.1))] + [{"eps": -1.0}],
        "AdamW": [{"betas": (0.9, 1.0)}, {"betas": (math.nan, 0.9)}, {"eps": -1.0}],
    }
    for name in ("Adam", "AdamW"):
        wrong[name] += [{"betas": (0.9, math.nan)}, {"eps": math.nan}]
    zeros = {
        "SGD": {"momentum": 1.5},
        "RMSProp": {"alpha": 0.0, "eps": 0.0},
        "Adam": {"betas": (0.0, 0.0), "eps": 0.0},
        "AdamW": {"betas": (0.0, 0.0), "eps": 0.0},
    }
    for name, options in wrong.items():
        shared = [{"lr": -0.1}, {"lr": math.nan}, {"weight_decay": -0.1}, {"weight_decay": math.nan}]
        refused = [((name, [(2,)], bad), ValueError, f"{name} with {bad}") for bad in options + shared]
        valid = (name, [(2,)], {"lr": 0.0, "weight_decay": 0.0, **zeros[name]})
        assert_refuses(candidate, build, valid=valid, refused=refused)


@probe_helper
def build_on(m, name, params):
    getattr(m, name)(params)


@pytest.mark.behaviour
def test_refuses_wrong_parameters(candidate):
    """A single tensor, or anything but tensors, as params raises TypeError, and nothing at all ValueError."""
    tensor = torch.zeros(3)
    for name in ("SGD", "RMSProp", "Adam", "AdamW"):
        refused = [
            ((name, tensor), TypeError, "a single tensor"),
            ((name, [tensor, 0.5]), TypeError, "a number among the parameters"),
            ((name, [tensor, None]), TypeError, "a None among the parameters"),
            ((name, [{"params": [tensor]}]), TypeError, "a dict among the parameters"),
            ((name, []), ValueError, "an empty list of parameters"),
        ]
        assert_refuses(candidate, build_on, valid=(name, [tensor, tensor.clone()]), refused=refused)


@probe_helper
def load_into(m, name, steps, saved, shapes):
    """Loads the state of parameters of the shapes `saved` after these steps into an optimizer of others, and makes a step."""
    params = [torch.zeros(shape, requires_grad=True) for shape in saved]
    first = getattr(m, name)(params)
    for param in params:
        param.grad = torch.ones_like(param)
    for _ in range(steps):
        first.step()
    params = [torch.zeros(shape, requires_grad=True) for shape in shapes]
    second = getattr(m, name)(params)
    second.load_state_dict(first.state_dict())
    for param in params:
        param.grad = torch.ones_like(param)
    second.step()


@pytest.mark.behaviour
def test_refuses_the_state_of_other_parameters(candidate):
    """The state of another number of parameters raises ValueError, and so does that of an Adam for other shapes, after a step."""
    saved = [(2, 3), (4,)]
    for name in ("SGD", "RMSProp", "Adam", "AdamW"):
        for steps in (0, 1):
            which = f"a state of {name} after {steps} steps"
            refused = [
                ((name, steps, saved, [(2, 3)]), ValueError, f"{which} of two parameters, for one"),
                ((name, steps, saved, [*saved, (4,)]), ValueError, f"{which} of two parameters, for three"),
            ]
            if name == "Adam" and steps:
                for shapes in ([(3, 2), (4,)], [(2, 3), (1,)]):
                    refused.append(((name, steps, saved, shapes), ValueError, f"{which} of parameters of other shapes"))
            assert_refuses(candidate, load_into, valid=(name, steps, saved, saved), refused=refused)


@probe_helper
def count_operations(m, name, options, starts, gradients):
    """Tensor operations that reach torch in the third step, without those that only look at memory in another way."""

    class Counter(torch.utils._python_dispatch.TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            aliases = [a.alias_info for a in func._schema.arguments if a.alias_info is not None]
            view = any(not alias.is_write for alias in aliases) or "_local_scalar_dense" in str(func)
            Counter.count += not view
            return func(*args, **(kwargs or {}))

    params = [start.requires_grad_() for start in starts]
    optimizer = getattr(m, name)(params, **options)
    for step in range(3):
        for param, gradient in zip(params, gradients, strict=True):
            param.grad = gradient[step]
        if step < 2:
            optimizer.step()
    with Counter():
        optimizer.step()
    return Counter.count


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_foreach_takes_the_same_number_of_operations(candidate, rng):
    """With `foreach=True` the number of tensor operations in a step does not grow with the number of parameters."""
    for name, options in EACH:
        counts = []
        for number in (3, 300):
            starts, gradients = draw(rng, [(1 + index % 7, 2) for index in range(number)], steps=3)
            counts.append(candidate(count_operations, name, {**options, "foreach": True}, starts, gradients))
        hint = "a loop over parameters, shapes or chunks starts its operations for each of them"
        detail = f"{counts[0]} for 3 parameters, {counts[1]} for 300"
        assert_true(0 < counts[1] <= counts[0], "the number of operations grows with that of parameters", hint, detail)


@probe_helper
def run_adam(m, start, gradient):
    param = start.clone().requires_grad_()
    param.grad = gradient
    optimizer = m.Adam([param], lr=0.01)
    for _ in range(15):
        optimizer.step()
    return param.detach()


@probe_helper
def run_adam_on_cuda(m, starts, gradients):
    params = [start.clone().requires_grad_() for start in starts.cuda().unbind()]
    for param, gradient in zip(params, gradients.cuda().unbind(), strict=True):
        param.grad = gradient
    optimizer = m.Adam(params, lr=0.01, foreach=True)
    for _ in range(20):
        optimizer.step()
    return torch.stack([param.detach() for param in params]).cpu()


def after_steps(steps):
    @oracle
    def last(start, gradient):
        return moved("Adam", {"lr": 0.01}, start, gradient.expand(steps, *gradient.shape))[-1]

    return last


@pytest.mark.throughput
@pytest.mark.points(2)
def test_throughput(throughput):
    """Fast enough to be vectorised: no Python loop over the rows or elements of a parameter."""
    throughput(
        call=lambda m, start, gradient: run_adam(m, start, gradient),
        # So many rows that the step lies above tensor operations that copy and compute in float64 (7 to 9 times the solution).
        inputs=lambda rng: rng.normal(256, 128, n=2),
        check=lambda result, *arguments: assert_matches(result, after_steps(15), *arguments),
        naive="accept_row_loop",
    )


@pytest.mark.cuda
@pytest.mark.throughput
@pytest.mark.points(3)
def test_throughput_of_many_parameters_on_cuda(throughput):
    """On CUDA `foreach=True` updates hundreds of small parameters together, not one after another."""
    throughput(
        call=lambda m, starts, gradients: run_adam_on_cuda(m, starts, gradients),
        inputs=lambda rng: rng.normal(400, 256, n=2),
        check=lambda result, *arguments: assert_matches(result, after_steps(20), *arguments, margin=64),
        naive="reject_parameter_loop",
    )


@probe_helper
def follow_on_cuda(m, name, options, starts, gradients):
    params = [start.cuda().requires_grad_() for start in starts]
    gradients = [gradient.cuda() for gradient in gradients]
    present = [[True] * len(gradient) for gradient in gradients]
    return advance(getattr(m, name)(params, **options), params, gradients, present, 0, len(gradients[0]))


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """Parameters on CUDA are updated on the device, on either path."""
    for name, options, chosen in BOTH_PATHS:
        starts, gradients = draw(rng, steps=10, dtype=torch.float32)
        paths = candidate(follow_on_cuda, name, chosen, starts, gradients)
        check_paths(paths, name, options, starts, gradients, margin=64)
