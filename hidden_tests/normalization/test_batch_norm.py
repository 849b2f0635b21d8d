import pytest
import torch
from torch.nn import functional

from graders.testing import (
    assert_close,
    assert_gradients,
    assert_matches,
    assert_refuses,
    assert_true,
    oracle,
)
from hidden_tests.battery import cast, check_cuda, check_dtypes, check_strides, check_untouched, strided

pytestmark = pytest.mark.numerics

SHAPES = [(6, 3), (4, 3, 5), (2, 3, 4, 5), (2, 3, 2, 3, 4), (1, 3, 4, 2), (6, 1)]
NAMES = ["inputs", "weight", "bias"]
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


@oracle
def by_batch(inputs, weight=None, bias=None, eps=1e-5):
    return functional.batch_norm(inputs, None, None, weight, bias, training=True, eps=eps)


@oracle
def by_running(inputs, mean, variance, weight=None, bias=None, eps=1e-5):
    return functional.batch_norm(inputs, mean, variance, weight, bias, training=False, eps=eps)


@oracle
def tracked(mean, variance, momentum, count, *batches):
    """Running mean and variance after `batches`, where `count` batches came before them."""
    for number, batch in enumerate(batches, count + 1):
        values = batch.transpose(0, 1).flatten(1)
        share = 1 / number if momentum is None else momentum
        mean = (1 - share) * mean + share * values.mean(1)
        squares = (values - values.mean(1, keepdim=True)).square().sum(1)
        variance = (1 - share) * variance + share * squares / (values.shape[1] - 1)
    return mean, variance


@oracle
def backward(grad_output, inputs, weight=None, eps=1e-5):
    """By torch's own autograd, with a weight of ones where there is none."""
    ones = torch.ones(inputs.shape[1], dtype=inputs.dtype)
    leaves = [inputs, ones if weight is None else weight, torch.zeros_like(ones)]
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    return torch.autograd.grad(by_batch(*leaves, eps), leaves, grad_output)


def run(m, options, state, training, *batches):
    """The results of `batches` one after the other, and the state that they leave behind."""
    norm = m.BatchNorm(batches[0].shape[1], **options).to(batches[0].dtype).train(training)
    norm.load_state_dict(state or norm.state_dict())
    return [norm(batch).detach() for batch in batches], dict(norm.state_dict())


def call(m, inputs, weight, bias):
    norm = m.BatchNorm(inputs.shape[1]).to(device=inputs.device, dtype=inputs.dtype)
    norm.load_state_dict({"weight": weight, "bias": bias}, strict=False)
    return norm(inputs).detach()


def call_in_eval(m, inputs, weight, bias, mean, variance):
    norm = m.BatchNorm(inputs.shape[1]).to(inputs.dtype).eval()
    state = {"weight": weight, "bias": bias, "running_mean": mean, "running_var": variance}
    norm.load_state_dict(state, strict=False)
    return norm(inputs).detach()


def call_backward(m, grad_output, inputs, weight=None, eps=1e-5):
    with torch.no_grad():
        return m.batch_norm_backward(grad_output, inputs, weight, eps)


def differentiate(m, options, state, training, inputs, cotangent):
    """Gradients of inputs, weight and bias after an earlier batch has gone through the module."""
    norm = m.BatchNorm(inputs.shape[1], **options).train(training)
    norm.load_state_dict(state)
    norm(2 * inputs)
    norm.load_state_dict(state)
    result = norm(inputs.requires_grad_())
    grads = torch.autograd.grad(result, [inputs, norm.weight, norm.bias], cotangent, allow_unused=True)
    return list(grads)


def random_state(rng, channels):
    return {
        "weight": 1 + rng.normal(channels),
        "bias": rng.normal(channels),
        "running_mean": rng.normal(channels),
        "running_var": rng.uniform(channels, low=0.2, high=3),
        "num_batches_tracked": torch.tensor(3),
    }


def affine(state):
    return state["weight"], state["bias"]


def running(state):
    return state["running_mean"], state["running_var"]


def test_state_of_a_new_module(candidate):
    """Parameters and buffers have the names, shapes, dtypes and starting values of the table."""

    def look(m, options):
        norm = m.BatchNorm(5, **options)
        absent = [name for name in names if getattr(norm, name, "missing") is None]
        return dict(norm.state_dict()), sorted(name for name, _ in norm.named_parameters()), absent

    names = ["weight", "bias", *BUFFERS]
    state, parameters, absent = candidate(look, {})
    assert_true(not absent, "weight, bias and the buffers are there unless they are asked not to be")
    assert_true(parameters == ["bias", "weight"], "weight and bias are the parameters of the module")
    assert_true(sorted(state) == sorted([*BUFFERS, *parameters]), "the state holds the names of the table, no others")
    start = {
        "weight": torch.ones(5),
        "bias": torch.zeros(5),
        "running_mean": torch.zeros(5),
        "running_var": torch.ones(5),
    }
    for name, expected in start.items():
        assert_close(state[name], expected, tolerance=0.0, what=name, dtype=torch.float32)
    counter = state["num_batches_tracked"]
    assert_true(counter.shape == () and counter.dtype is torch.int64, "num_batches_tracked is an int64 scalar")
    assert_close(counter, torch.tensor(0), tolerance=0.0, what="num_batches_tracked")
    bare, parameters, absent = candidate(look, {"affine": False, "track_running_stats": False})
    assert_true(not bare and not parameters, "without affine and tracking nothing is left in the state")
    hint = "an attribute that is missing, or a tensor that is not in the state, is not None"
    assert_true(absent == names, "without affine and tracking the attributes of the table are None", hint)


@pytest.mark.points(3)
def test_training_values(candidate, rng):
    """In training mode each channel is normalised by mean and biased variance of batch and positions together."""
    hint = "all dimensions but the channels are reduced; the variance of the batch is divided by the number of values"
    for shape in SHAPES:
        state, inputs = random_state(rng, shape[1]), rng.normal(*shape)
        (result,), _ = candidate(run, {}, state, True, inputs)
        assert_matches(result, by_batch, inputs, *affine(state), hint=hint)


@pytest.mark.points(3)
def test_eval_values(candidate, rng):
    """In eval mode the running statistics normalise, whatever the batch, also a batch of one."""
    hint = "no statistic of the batch enters, and the running variance is used as it is"
    for shape in (*SHAPES, (1, 3)):
        state, inputs = random_state(rng, shape[1]), rng.normal(*shape)
        (result,), _ = candidate(run, {}, state, False, inputs)
        assert_matches(result, by_running, inputs, *running(state), *affine(state), hint=hint)


@pytest.mark.points(2)
def test_eps(candidate, rng):
    """eps is added to the variance in both modes."""
    inputs, state = rng.normal(8, 3, 2), random_state(rng, 3)
    for scale, eps in ((1.0, 0.5), (3e-3, 1e-5), (1e-5, 1e-12)):
        hint = "which quantity is eps added to: the variance or its root?"
        state["running_var"] = scale**2 * rng.uniform(3, low=0.5, high=2)
        (result,), _ = candidate(run, {"eps": eps}, state, True, scale * inputs)
        assert_matches(result, by_batch, scale * inputs, *affine(state), eps, hint=hint)
        (result,), _ = candidate(run, {"eps": eps}, state, False, scale * inputs)
        assert_matches(result, by_running, scale * inputs, *running(state), *affine(state), eps, hint=hint)
    # In eval mode, for in training torch itself refuses an eps of 0.
    state["running_var"] = 1e-6 * rng.uniform(3, low=0.5, high=2)
    (result,), _ = candidate(run, {"eps": 0.0}, state, False, 1e-3 * inputs)
    arguments = (1e-3 * inputs, *running(state), *affine(state), 0.0)
    assert_matches(result, by_running, *arguments, hint="`eps or default` loses zero")
    (result,), _ = candidate(run, {}, state, True, 3e-3 * inputs)
    assert_matches(result, by_batch, 3e-3 * inputs, *affine(state), hint="the default of eps is in the signature")


@pytest.mark.points(3)
def test_running_statistics(candidate, rng):
    """After several batches the running statistics have moved by `momentum` towards each batch's mean and variance."""
    hint = "which share has the new batch, and which of the two variances is remembered?"
    for shape, options in (((4, 3), {}), ((2, 3, 2), {"momentum": 0.3}), ((3, 3, 2, 2), {"momentum": 1.0})):
        state, batches = random_state(rng, 3), [1 + 2 * rng.normal(*shape) for _ in range(4)]
        _, after = candidate(run, options, state, True, *batches)
        arguments = (*running(state), options.get("momentum", 0.1), 0, *batches)
        assert_matches(running(after), tracked, *arguments, what="running mean, variance", hint=hint)
        assert_close(after["num_batches_tracked"], torch.tensor(7), tolerance=0.0, what="num_batches_tracked")


def test_momentum_zero(candidate, rng):
    """With momentum 0 the running statistics stay where they are, and batches are still counted."""
    state = random_state(rng, 3)
    _, after = candidate(run, {"momentum": 0.0}, state, True, *rng.normal(4, 3, n=2))
    for name in BUFFERS[:2]:
        assert_close(after[name], state[name], tolerance=0.0, what=name, hint="`momentum or default` loses zero")
    assert_close(after["num_batches_tracked"], torch.tensor(5), tolerance=0.0, what="num_batches_tracked")


@pytest.mark.points(2)
def test_momentum_none(candidate, rng):
    """With momentum None the running statistics are the plain averages over all batches so far, resumed ones included."""
    batches = [1 + 2 * rng.normal(4, 3) for _ in range(5)]
    fresh = (torch.zeros(3), torch.ones(3))
    hint = "batch number n has the share 1 / n; the starting values have none"
    for number in (1, 2, 5):
        _, after = candidate(run, {"momentum": None}, None, True, *batches[:number])
        arguments = (*fresh, None, 0, *batches[:number])
        assert_matches(running(after), tracked, *arguments, what="running mean, variance", hint=hint)
    state = random_state(rng, 3)
    _, after = candidate(run, {"momentum": None}, state, True, *batches)
    arguments = (*running(state), None, 3, *batches)
    assert_matches(
        running(after), tracked, *arguments, what="running mean, variance", hint="the counter is in the state"
    )


@pytest.mark.points(2)
def test_large_offsets_and_magnitudes(candidate, rng):
    """A large common offset costs the variance no digits, and magnitudes from 1e-12 to 1e15 do not overflow."""
    state, inputs = random_state(rng, 3), rng.normal(16, 3, 2)
    hint = "a difference of two large numbers cancels"
    # Two passes, with loops too, and Welford's update are off by at most 6e-5 (result) and 4e-5 (variance) in thousands of
    # draws: a float32 number near 300 is rounded by 1.5e-5, and the mean of 32 of them costs a few roundings. The variance
    # as E[x²] - E[x]² is off by 2e-3 at least, for 300² is rounded by 4e-3. Multiples of the oracle's own error would not
    # do: it is tiny at times, by luck.
    shifted = inputs + 300 * rng.normal(1, 3, 1).sign()
    (result,), after = candidate(run, {"momentum": 1.0}, state, True, shifted)
    expected = by_batch(shifted.double(), *(x.double() for x in affine(state)))
    assert_close(result, expected, tolerance=2e-4, what="the result beside an offset", hint=hint)
    _, variance = tracked(0, 0, 1.0, 0, shifted.double())
    assert_close(after["running_var"], variance, tolerance=3e-4, what="running_var beside an offset", hint=hint)
    for scale in (1e-12, 1e6, 1e15):
        (result,), _ = candidate(run, {}, state, True, scale * inputs)
        assert_matches(result, by_batch, scale * inputs, *affine(state), what=f"the result at magnitude {scale:g}")
    (result,), _ = candidate(run, {}, state, True, torch.full((4, 3), 2.0))
    # The mean may be one rounding off, 1e-7, which 1 / √eps multiplies by 316.
    expected = state["bias"].expand(4, 3)
    assert_close(result, expected, tolerance=1e-3, what="a constant channel", hint="what divides by zero here?")


def test_without_affine(candidate, rng):
    """Without affine there is no weight and no bias, in either mode."""
    inputs, state = rng.normal(5, 3, 2), random_state(rng, 3)
    state = {name: state[name] for name in BUFFERS}
    (result,), after = candidate(run, {"affine": False}, state, True, inputs)
    assert_matches(result, by_batch, inputs)
    (result,), _ = candidate(run, {"affine": False}, state, False, inputs)
    assert_matches(result, by_running, inputs, *running(state))
    assert_true(sorted(after) == sorted(BUFFERS), "without affine the state holds the buffers only")


def test_without_tracking(candidate, rng):
    """Without running statistics both modes normalise by the batch, and nothing is stored."""
    inputs, state = rng.normal(5, 3, 2), random_state(rng, 3)
    state = {name: state[name] for name in NAMES[1:]}
    for training in (True, False):
        (result,), after = candidate(run, {"track_running_stats": False}, state, training, inputs)
        assert_matches(result, by_batch, inputs, *affine(state), hint="there is nothing else to normalise by")
        assert_true(sorted(after) == ["bias", "weight"], "without tracking the state holds weight and bias only")


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """The module follows .to(dtype), strides do not matter, and inputs are left as they were."""
    state, inputs = random_state(rng, 3), rng.normal(4, 3, 2, 5)
    for probe, reference, arguments in (
        (call, by_batch, (inputs, *affine(state))),
        (call_in_eval, lambda x, w, b, mean, variance: by_running(x, mean, variance, w, b), None),
    ):
        sent = arguments or (inputs, *affine(state), *running(state))
        check_dtypes(candidate, probe, sent, reference)
        check_strides(candidate, probe, sent, reference)
        check_untouched(candidate, probe, sent)
    state64 = {name: cast(value, torch.float64) for name, value in state.items()}
    _, after = candidate(run, {}, state64, True, inputs.double())
    expected = [torch.float64, torch.float64, torch.int64]
    hint = "only floating buffers follow"
    assert_true([after[name].dtype for name in BUFFERS] == expected, "buffers follow .to(dtype)", hint)
    assert_matches(running(after), tracked, *running(state64), 0.1, 0, inputs.double(), what="running mean, variance")


@pytest.mark.points(2)
def test_refuses_bad_inputs(candidate, rng):
    """Wrong numbers of dimensions or channels, and a single value per channel where statistics are needed, are refused."""
    state = random_state(rng, 3)

    def forward(m, shape, training, options):
        norm = m.BatchNorm(3, **options).train(training)
        return norm(torch.ones(shape))

    # A single channel would broadcast against three in eval mode.
    shapes = [((3,), "1-D inputs"), ((2, 3, 2, 2, 2, 2), "6-D inputs")]
    shapes += [(shape, "another number of channels") for shape in ((3, 2), (2, 4, 3), (4, 1))]
    single = "one value per channel"
    alone = [((1, 3), single), ((1, 3, 1, 1), single)]
    refused = [((shape, True, {}), ValueError, wrong) for shape, wrong in shapes + alone]
    assert_refuses(candidate, forward, valid=((1, 3, 1, 2), True, {}), refused=refused)
    refused = [((shape, False, {}), ValueError, f"{wrong} in eval mode") for shape, wrong in shapes]
    options = {"track_running_stats": False}
    refused += [(((1, 3), False, options), ValueError, f"{single} in eval mode without running statistics")]
    assert_refuses(candidate, forward, valid=((1, 3), False, {}), refused=refused)
    assert_refuses(candidate, forward, valid=((2, 3), False, options), refused=refused)

    def refused_batches(m, shapes):
        states = []
        for shape in shapes:
            norm = m.BatchNorm(3)
            norm.load_state_dict(state)
            try:
                norm(torch.ones(shape))
            except ValueError:
                states.append({name: value.clone() for name, value in norm.state_dict().items()})
        return states

    wrongs = shapes + alone
    states = candidate(refused_batches, [shape for shape, _ in wrongs])
    assert_true(len(states) == len(wrongs), "all of these batches must raise ValueError")
    hint = "check before the first change"
    for after, (_, wrong) in zip(states, wrongs, strict=True):
        for name in BUFFERS:
            assert_close(after[name], state[name], tolerance=0.0, what=f"{name} after {wrong} were refused", hint=hint)


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_what_changes_the_buffers(candidate, rng):
    """Eval mode leaves the buffers alone; training mode changes them also under torch.no_grad()."""
    state, inputs = random_state(rng, 3), rng.normal(4, 3)
    _, after = candidate(run, {}, state, False, inputs, inputs)
    for name in BUFFERS:
        assert_close(after[name], state[name], tolerance=0.0, what=f"{name} after a call in eval mode")

    def run_without_grad(m):
        norm = m.BatchNorm(3)
        norm.load_state_dict(state)
        with torch.no_grad():
            norm(inputs)
        return dict(norm.state_dict())

    after = candidate(run_without_grad)
    assert_matches(running(after), tracked, *running(state), 0.1, 0, inputs, what="running mean, variance")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_buffers_keep_no_graph(candidate, rng):
    """The buffers are changed in place and keep no graph of the batches that they have seen."""
    state, batches = random_state(rng, 3), [rng.normal(4, 3) for _ in range(3)]

    def hold_and_train(m):
        norm = m.BatchNorm(3)
        norm.load_state_dict(state)
        held = [norm.running_mean, norm.running_var, norm.num_batches_tracked]
        saved = norm.state_dict()  # other tensors of the same memory
        shared = [saved[name] for name in BUFFERS]
        for batch in batches:
            norm(batch.requires_grad_())
        graphs = [x.requires_grad or norm.running_mean.requires_grad for x in held]
        return held, shared, dict(norm.state_dict()), graphs

    held, shared, after, graphs = candidate(hold_and_train)
    assert_true(not any(graphs), "a running statistic requires a gradient", "they are no part of the computation")
    hint = "the buffer or its memory was replaced by a new one: whoever holds the old one does not see the change"
    for mine, memory, name in zip(held, shared, BUFFERS, strict=True):
        assert_close(mine, after[name], tolerance=0.0, what=f"{name}, held since before the call,", hint=hint)
        what = f"{name} in a state_dict taken before the call"
        assert_close(memory, after[name], tolerance=0.0, what=what, hint=hint)
    assert_matches(running(after), tracked, *running(state), 0.1, 0, *batches, what="running mean, variance")


@pytest.mark.gradients
@pytest.mark.points(3)
def test_backward(candidate, rng):
    """batch_norm_backward returns the gradients of inputs, weight and bias in training mode, for 2-D to 5-D inputs."""
    hint = "mean and variance depend on every value of the channel; weight stands between result and inputs"
    for shape in SHAPES:
        grad_output, inputs = rng.normal(*shape, n=2)
        arguments = (grad_output, inputs, 1 + rng.normal(shape[1]))
        assert_matches(candidate(call_backward, *arguments), backward, *arguments, what="the gradient", hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_without_weight_and_with_eps(candidate, rng):
    """weight may be absent, and eps is that of the forward pass."""
    grad_output, inputs, weight = *rng.normal(6, 3, 2, n=2), 1 + rng.normal(3)
    assert_matches(candidate(call_backward, grad_output, inputs), backward, grad_output, inputs, what="the gradient")
    for scale, eps in ((1.0, 0.5), (1e-2, 1e-3)):
        arguments = (grad_output, scale * inputs, weight, eps)
        assert_matches(
            candidate(call_backward, *arguments), backward, *arguments, what="the gradient", hint="where is eps?"
        )
    arguments = (grad_output, 3e-3 * inputs)

    def call_by_default(m):
        with torch.no_grad():
            return m.batch_norm_backward(*arguments)

    hint = "the default of eps is in the signature"
    assert_matches(candidate(call_by_default), backward, *arguments, what="the gradient", hint=hint)


@pytest.mark.gradients
def test_backward_of_any_dtype_strides_and_offset(candidate, rng):
    """batch_norm_backward keeps the dtype, takes any strides, leaves its inputs alone and loses no digits to an offset."""
    arguments = (*rng.normal(4, 3, 2, 5, n=2), 1 + rng.normal(3))
    check_dtypes(candidate, call_backward, arguments, backward)
    for sent in (arguments, arguments[:2]):  # without a weight nothing copies grad_output on the way
        check_untouched(candidate, call_backward, sent)
    result = candidate(call_backward, *map(strided, arguments))
    assert_matches(result, backward, *arguments, what="the gradient for inputs that are not contiguous")
    expanded = torch.ones(1).expand(4, 3, 2, 5)
    result = candidate(call_backward, expanded, *arguments[1:])
    # The gradient of inputs is zero up to rounding here, so that a constant is added to compare with.
    zero = torch.ones(4, 3, 2, 5)
    assert_close(zero + result[0], zero, tolerance=1e-4, what="the gradient of inputs for a constant gradient")
    assert_close(result[2], torch.full((3,), 40.0), tolerance=1e-5, what="the gradient of bias")
    # The mean of 40 float64 numbers near 1e6 is off by 40 · 1e6 · 1.1e-16 = 4e-9 at most; beside a spread of 1 the gradients
    # are as well, while E[x²] - E[x]² is off by 1e12 · 1.1e-16 = 1e-4.
    grad_output, inputs, weight = (x.double() for x in arguments)
    shifted = (grad_output, inputs + 1e6, weight)
    for mine, want in zip(candidate(call_backward, *shifted), backward(*shifted), strict=True):
        hint = "a difference of two large numbers cancels"
        assert_close(mine, want, tolerance=1e-6, what="a gradient beside an offset", hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_the_module_in_training(candidate, rng):
    """In training mode autograd gets the gradients of inputs, weight and bias through mean and variance of the batch."""
    for shape in ((6, 3), (2, 3, 4, 5)):
        state, (inputs, cotangent) = random_state(rng, 3), rng.normal(*shape, n=2)
        grads = candidate(differentiate, {}, state, True, inputs, cotangent)
        hint = "the statistics that normalise depend on the inputs; only the running ones are cut off"
        assert_gradients(grads, by_batch, (inputs, *affine(state)), cotangent, names=NAMES, hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_the_module_in_eval(candidate, rng):
    """In eval mode the running statistics are constants; without them the gradients are those of training."""
    state, (inputs, cotangent) = random_state(rng, 3), rng.normal(2, 3, 4, n=2)
    grads = candidate(differentiate, {}, state, False, inputs, cotangent)
    mean, variance = running(state)

    def reference(inputs, weight, bias):
        return by_running(inputs, mean.to(inputs.dtype), variance.to(inputs.dtype), weight, bias)

    hint = "nothing flows through mean and variance here"
    assert_gradients(grads, reference, (inputs, *affine(state)), cotangent, names=NAMES, hint=hint)
    options, state = {"track_running_stats": False}, {name: state[name] for name in NAMES[1:]}
    grads = candidate(differentiate, options, state, False, inputs, cotangent)
    hint = "here the statistics are those of the batch, which depend on the inputs"
    assert_gradients(grads, by_batch, (inputs, *affine(state)), cotangent, names=NAMES, hint=hint)


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    check_cuda(candidate, call, (rng.normal(4, 3, 5), *affine(random_state(rng, 3))), by_batch)
