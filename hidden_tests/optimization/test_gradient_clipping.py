import math

import pytest
import torch

from graders.testing import (
    Broken,
    assert_close,
    assert_matches,
    assert_refuses,
    assert_same,
    assert_true,
    oracle,
    probe_helper,
)
from hidden_tests.battery import check_dtypes, check_gradients, check_strides, check_untouched, strided

pytestmark = pytest.mark.numerics

SHAPES = [(3, 4), (5,), (), (2, 1, 3)]
ORDERS = [1.0, 2.0, 3.0, 0.5, 2.5, math.inf]
NAMES = ["norm.weight", "norm.bias", "first.weight", "first.bias", "second.weight", "second.bias"]
KINDS = [math.nan, math.inf, -math.inf]


@oracle
def joint_norm(norm_type, *gradients):
    """Of one long vector, in units of its largest entry."""
    entries = torch.cat([gradient.reshape(-1) for gradient in gradients]).abs()
    peak = entries.max()
    return peak if norm_type == math.inf else peak * ((entries / peak) ** norm_type).sum() ** (1 / norm_type)


@oracle
def shrunk(max_norm, norm_type, *gradients):
    """Gradients whose norm is max_norm, by way of gradients in units of their norm."""
    norm = joint_norm(norm_type, *gradients)
    return tuple(gradient / norm * max_norm for gradient in gradients)


@probe_helper
def with_gradients(gradients):
    """Parameters of zeros that have these gradients, None included."""
    parameters = [torch.zeros(3) if gradient is None else torch.zeros_like(gradient) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.requires_grad_().grad = gradient
    return parameters


@probe_helper
def gradients_of(parameters):
    return [parameter.grad for parameter in parameters]


@probe_helper
def norm_of(m, gradients, norm_type):
    return m.gradient_norm(with_gradients(gradients), norm_type)


@probe_helper
def clip(m, gradients, max_norm, options):
    parameters = with_gradients(gradients)
    return m.clip_by_norm(parameters, max_norm, **options), gradients_of(parameters)


@probe_helper
def cut(m, gradients, clip_value):
    parameters = with_gradients(gradients)
    m.clip_by_value(parameters, clip_value)
    return gradients_of(parameters)


def draw(rng, scale=1.0, dtype=torch.float32, shapes=SHAPES):
    return [rng.normal(*shape, scale=scale, dtype=dtype) for shape in shapes]


def check_clipped(candidate, gradients, max_norm, norm_type=2.0, hint="", **options):
    """The norm before, and gradients scaled down to the limit."""
    try:
        before, after = candidate(clip, gradients, max_norm, {"norm_type": norm_type, **options})
    except FloatingPointError:
        raise Broken("gradients with a finite norm are refused", hint) from None
    assert_matches(before, joint_norm, norm_type, *gradients, what="the returned norm", hint=hint)
    assert_matches(tuple(after), shrunk, max_norm, norm_type, *gradients, what="the clipped gradients", hint=hint)


@pytest.mark.points(2)
def test_norm_of_all_gradients_together(candidate, rng):
    """`gradient_norm` is the norm of all gradients as one vector, in their dtype."""
    for dtype in (torch.float32, torch.float64):
        for shapes in (SHAPES, [(7, 3)], [()]):
            gradients = draw(rng, dtype=dtype, shapes=shapes)
            result = candidate(norm_of, gradients, 2.0)
            assert_matches(result, joint_norm, 2.0, *gradients, what="the norm", hint="one vector of all entries")
    gradients = draw(rng)
    result = candidate(lambda m: m.gradient_norm(with_gradients(gradients)))
    assert_matches(result, joint_norm, 2.0, *gradients, what="the norm by default")


@pytest.mark.points(2)
def test_norms_of_any_order(candidate, rng):
    """Any order above 0, inf included, gives the norm of that order of the one long vector."""
    for norm_type in ORDERS:
        gradients = draw(rng, dtype=torch.float64)
        hint = "norms of norms must have the same order, and magnitudes have no sign"
        result = candidate(norm_of, gradients, norm_type)
        assert_matches(result, joint_norm, norm_type, *gradients, what=f"the norm of order {norm_type}", hint=hint)


@pytest.mark.points(3)
def test_clipping_by_norm(candidate, rng):
    """Gradients above the limit are multiplied by max_norm / norm, all by the same factor; the norm before is returned."""
    for dtype in (torch.float32, torch.float64):
        for norm_type in ORDERS:
            gradients = draw(rng, scale=10.0, dtype=dtype)
            check_clipped(
                candidate, gradients, 1.5, norm_type, hint="one factor for all, from the norm before clipping"
            )
    gradients = draw(rng, scale=10.0)
    before, after = candidate(clip, gradients, 0.5, {})
    assert_matches(before, joint_norm, 2.0, *gradients, what="the returned norm, by default")
    assert_matches(tuple(after), shrunk, 0.5, 2.0, *gradients, what="gradients clipped by default")


@pytest.mark.points(2)
def test_small_gradients_are_clipped_exactly(candidate, rng):
    """Small gradients, too, end with the norm max_norm: nothing is added to the denominator."""
    for scale in (1e-3, 1e-6, 1e-9):
        check_clipped(candidate, draw(rng, scale=scale), 0.1 * scale, hint="no eps beside a small norm")


@pytest.mark.points(2)
def test_gradients_below_the_limit_keep_every_bit(candidate, rng):
    """Gradients whose norm is at most max_norm are left as they are, also for limits of 0 and of inf."""
    gradients = draw(rng, dtype=torch.float64)
    norm = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))  # no oracle: it is sent
    for max_norm in (1.0001 * norm, 10 * norm, math.inf):
        _, after = candidate(clip, gradients, max_norm, {})
        for mine, sent in zip(after, gradients, strict=True):
            assert_close(mine, sent, tolerance=0.0, what="a gradient below the limit", hint="never scale up")
    exact = [torch.tensor([3.0, 0.0]), torch.tensor([-4.0])]
    nothing, wide = [torch.zeros(2, 3), torch.zeros(4)], [torch.zeros(2, 3), torch.zeros(4, dtype=torch.float64)]
    for sent, max_norm in ((exact, 5.0), (nothing, 0.0), (nothing, 1.0), (wide, 1.0)):
        norm, after = candidate(clip, sent, max_norm, {})
        expected = torch.tensor(5.0 if sent is exact else 0.0, dtype=sent[-1].dtype)
        assert_close(norm, expected, tolerance=0.0, what="the returned norm", dtype=expected.dtype)
        for mine, before in zip(after, sent, strict=True):
            assert_close(mine, before, tolerance=0.0, what="a gradient at the limit", hint="mind 0 / 0")


def test_limit_of_zero(candidate, rng):
    """max_norm = 0 makes all gradients zero."""
    _, after = candidate(clip, draw(rng), 0.0, {})
    for mine, shape in zip(after, SHAPES, strict=True):
        assert_close(mine, torch.zeros(shape), tolerance=0.0, what="a gradient clipped to 0")


@pytest.mark.points(3)
def test_squares_that_overflow_or_vanish(candidate, rng):
    """Gradients of 1e30 and 1e-30 in float32, of 1e200 and 1e-200 in float64, have a finite norm and are clipped."""
    cases = [(1e30, torch.float32), (1e-30, torch.float32), (1e200, torch.float64), (1e-200, torch.float64)]
    for scale, dtype in cases:
        for norm_type in ORDERS:
            hint = "the norm can be held where its square cannot: measure in other units"
            gradients = draw(rng, scale=scale, dtype=dtype)
            check_clipped(candidate, gradients, 0.01 * scale, norm_type, hint=hint)


@pytest.mark.points(2)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(candidate, rng, dtype):
    """In half precision gradients keep their dtype, and the norm is float32, also beyond 65504."""
    gradients = draw(rng, scale=400.0, dtype=dtype, shapes=[(300, 200), (50,)])
    norm, after = candidate(clip, gradients, 2000.0, {})
    expected = joint_norm(2.0, *(gradient.double() for gradient in gradients))
    # torch.linalg.vector_norm of so many float32 entries is off by 2e-6, one in half precision by 1e-3.
    what = "the norm of half-precision gradients"
    assert_close(norm, expected, tolerance=1e-4, what=what, hint="sum in float32", dtype=torch.float32)
    assert_matches(tuple(after), shrunk, 2000.0, 2.0, *gradients, what="gradients in half precision", dtype=dtype)


def test_mixed_dtypes(candidate, rng):
    """Among gradients of several dtypes the norm has the widest, and each gradient keeps its own."""
    dtypes = [torch.float32, torch.float64, torch.float16]
    gradients = [rng.normal(4, 3, scale=5.0, dtype=dtype) for dtype in dtypes]
    norm, after = candidate(clip, gradients, 1.0, {})
    wide = [gradient.double() for gradient in gradients]
    assert_matches(norm, joint_norm, 2.0, *wide, what="the norm of mixed gradients", hint="the widest dtype decides")
    for mine, expected, dtype in zip(after, shrunk(1.0, 2.0, *wide), dtypes, strict=True):
        # A rounding of the result and one of the factor: within two units of the last digit.
        tolerance = 4 * torch.finfo(dtype).eps
        assert_close(mine, expected.to(dtype), tolerance=tolerance, what=f"a gradient of {dtype}", dtype=dtype)


@pytest.mark.points(2)
def test_parameters_without_a_gradient(candidate, rng):
    """A gradient of None stays None and counts for nothing; without any gradient, or with empty ones, the norm is 0."""
    first, second = rng.normal(4, scale=9.0), rng.normal(2, 3, scale=9.0)
    hint = "not every parameter has a gradient"
    norm, after = candidate(clip, [None, first, None, second], 1.0, {})
    assert_matches(norm, joint_norm, 2.0, first, second, what="the norm", hint=hint)
    assert_matches((after[1], after[3]), shrunk, 1.0, 2.0, first, second, what="the clipped gradients", hint=hint)
    values = candidate(cut, [None, first], 0.5)
    assert_true(
        after[0] is None and after[2] is None and values[0] is None, "a missing gradient has been made up", hint
    )
    for gradients in ([], [None, None], [torch.zeros(0, 3)], [torch.zeros(0), None]):
        for norm_type in (2.0, math.inf):
            norm, _ = candidate(clip, gradients, 1.0, {"norm_type": norm_type})
            assert_close(norm, torch.tensor(0.0), tolerance=0.0, what="the norm without any gradient")
    with_empty = candidate(norm_of, [torch.zeros(0, 2), first], math.inf)
    assert_matches(with_empty, joint_norm, math.inf, first, what="the norm beside an empty gradient")


@probe_helper
def listed(parameter, how):
    return {"alone": parameter, "twice": [parameter, parameter], "generator": (p for p in [parameter])}[how]


@probe_helper
def clip_listed(m, gradient, how):
    (parameter,) = with_gradients([gradient])
    norm = m.clip_by_norm(listed(parameter, how), 1.0)
    clipped = parameter.grad.clone()
    m.clip_by_value(listed(parameter, how), 0.05)
    small, last = parameter.grad, m.gradient_norm([parameter, parameter])
    parameter.grad = torch.full_like(parameter, math.nan)
    m.clip_by_norm(listed(parameter, how), 1.0, nonfinite="skip")
    return norm, clipped, small, last, parameter.grad is None


@pytest.mark.behaviour
@pytest.mark.points(2)
@pytest.mark.parametrize("how", ["alone", "twice", "generator"])
def test_how_parameters_are_given(candidate, rng, how):
    """Parameters may be one tensor or a generator, and one that is listed twice counts, and is scaled, once."""
    gradient = rng.normal(6, scale=5.0, dtype=torch.float64)
    norm, clipped, small, last, skipped = candidate(clip_listed, gradient, how)
    hint = "tied weights are one parameter; a generator can be read once"
    assert_matches(norm, joint_norm, 2.0, gradient, what="the norm", hint=hint)
    assert_matches(clipped, shrunk, 1.0, 2.0, gradient, what="the clipped gradient", hint=hint)
    assert_close(small, clipped.clamp(-0.05, 0.05), tolerance=0.0, what="the gradient clipped by value", hint=hint)
    assert_matches(last, joint_norm, 2.0, small, what="the norm of a parameter listed twice", hint=hint)
    assert_true(skipped, "a gradient of NaN is left although it should be skipped", hint)


@probe_helper
def look_at_memory(m, start, gradient, way):
    """Whether the gradient is the same tensor in the same memory, and the value of the parameter."""
    parameter = start.clone().requires_grad_()
    parameter.grad = gradient
    place = gradient.data_ptr()
    if way == "norm":
        m.clip_by_norm([parameter], 0.5)
    else:
        m.clip_by_value([parameter], 0.1)
    return parameter.grad is gradient and parameter.grad.data_ptr() == place, parameter.detach(), gradient


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_gradients_are_changed_in_place(candidate, rng):
    """The gradients are changed in their own memory, whatever its strides; parameters keep their values."""
    start, gradient = rng.normal(4, 3, n=2, dtype=torch.float64)
    expected = {"norm": shrunk(0.5, 2.0, gradient)[0], "value": gradient.clamp(-0.1, 0.1)}
    for way in ("norm", "value"):
        for sent in (gradient, strided(gradient)):
            same, value, after = candidate(look_at_memory, start, sent.clone(), way)
            assert_true(same, "the gradient is another tensor now", "others may hold the gradient: change it in place")
            assert_same(value, start, "a parameter")
            # A rounding or two of float64.
            assert_close(after, expected[way], tolerance=1e-14, what="a gradient changed in place")


@pytest.mark.behaviour
def test_reading_the_norm_changes_nothing(candidate, rng):
    """`gradient_norm` leaves the gradients as they are."""
    sent = draw(rng, scale=5.0)

    def probe(m):
        parameters = with_gradients(sent)
        norms = [m.gradient_norm(parameters, norm_type) for norm_type in (1.0, 2.0, math.inf)]
        return norms, gradients_of(parameters)

    norms, after = candidate(probe)
    for mine, gradient in zip(after, sent, strict=True):
        assert_same(mine, gradient, "a gradient")
    assert_matches(norms[1], joint_norm, 2.0, *sent, what="the norm")


@probe_helper
def clip_with_graph(m, weight, x):
    weight = weight.requires_grad_()
    loss = (weight @ x).square().sum()
    (weight.grad,) = torch.autograd.grad(loss, weight, create_graph=True)
    norm = m.clip_by_norm([weight], 1e-3)
    alone = m.gradient_norm([weight])
    return [norm.requires_grad, alone.requires_grad], weight.grad.norm()


@pytest.mark.behaviour
def test_norm_has_no_graph(candidate, rng):
    """Clipping works outside of autograd: the norm has no graph, even where the gradients have one."""
    graphs, norm = candidate(clip_with_graph, rng.normal(3, 4, dtype=torch.float64), rng.normal(4, dtype=torch.float64))
    assert_true(graphs == [False, False], "the norm has an autograd graph", "outside of autograd")
    assert_close(norm, torch.tensor(1e-3, dtype=torch.float64), tolerance=1e-9, what="the norm after clipping")


@pytest.mark.points(2)
def test_clipping_by_value(candidate, rng):
    """Each entry is brought into [-clip_value, clip_value]; infinite ones become its ends, NaN stays NaN."""
    for dtype in (torch.float32, torch.float64, torch.float16):
        gradients = draw(rng, scale=2.0, dtype=dtype)
        for clip_value in (0.0, 0.7, 1e3, math.inf):
            after = candidate(cut, gradients, clip_value)
            for mine, sent in zip(after, gradients, strict=True):
                expected = sent.clamp(-clip_value, clip_value)
                assert_close(mine, expected, tolerance=0.0, what="a gradient clipped by value", dtype=dtype)
    (after,) = candidate(cut, [torch.tensor([math.inf, -math.inf, math.nan, 1e30, 0.3])], 0.5)
    assert_close(after, torch.tensor([0.5, -0.5, math.nan, 0.5, 0.3]), tolerance=0.0, what="entries of inf and NaN")


def spoilt(rng, kind):
    """Gradients of which one entry, of one parameter, is not finite."""
    gradients = draw(rng, scale=3.0)
    gradients[rng.choice(0, 1, 3)].view(-1)[-1] = kind
    return gradients


@probe_helper
def clip_expecting_error(m, gradients, options):
    parameters = with_gradients(gradients)
    try:
        m.clip_by_norm(parameters, 1.0, **options)
    except FloatingPointError:
        return True, gradients_of(parameters)
    return False, gradients_of(parameters)


@pytest.mark.behaviour
@pytest.mark.points(2)
@pytest.mark.parametrize("kind", KINDS)
def test_not_finite_is_an_error(candidate, rng, kind):
    """By default, and for "error", a norm that is not finite raises FloatingPointError, and gradients stay as they are."""
    for norm_type in (1.0, 2.0, math.inf):
        for policy in ({}, {"nonfinite": "error"}):
            gradients = spoilt(rng, kind)
            raised, after = candidate(clip_expecting_error, gradients, {"norm_type": norm_type, **policy})
            assert_true(raised, f"an entry of {kind} is not noticed", "some comparisons and maxima lose NaN")
            for mine, sent in zip(after, gradients, strict=True):
                assert_same(mine, sent, "a gradient")


@pytest.mark.behaviour
@pytest.mark.points(2)
@pytest.mark.parametrize("kind", KINDS)
def test_not_finite_is_skipped(candidate, rng, kind):
    """For "skip" every gradient becomes None, and the norm comes back as inf or NaN."""
    for norm_type in (1.0, 2.0, math.inf):
        for max_norm in (1.0, math.inf):
            gradients = [*spoilt(rng, kind), None]
            norm, after = candidate(clip, gradients, max_norm, {"norm_type": norm_type, "nonfinite": "skip"})
            assert_close(norm, torch.tensor(abs(kind)), tolerance=0.0, what="the norm that is not finite")
            assert_true(all(mine is None for mine in after), "a gradient is left", "the whole step is skipped")


@pytest.mark.behaviour
@pytest.mark.parametrize("kind", KINDS)
def test_not_finite_is_kept(candidate, rng, kind):
    """For "keep" the gradients stay as they are, the finite ones included, and the norm comes back as inf or NaN."""
    for norm_type in (1.0, 2.0, math.inf):
        gradients = spoilt(rng, kind)
        norm, after = candidate(clip, gradients, 1.0, {"norm_type": norm_type, "nonfinite": "keep"})
        assert_close(norm, torch.tensor(abs(kind)), tolerance=0.0, what="the norm that is not finite")
        for mine, sent in zip(after, gradients, strict=True):
            assert_close(mine, sent, tolerance=0.0, what="a gradient", hint="a factor of 0 makes inf to NaN")


@pytest.mark.behaviour
def test_nan_beside_inf(candidate, rng):
    """The norm is NaN if one entry is infinite and another NaN, whichever comes first, and keeps its dtype."""
    for first, second in ((math.inf, math.nan), (math.nan, -math.inf)):
        for dtype in (torch.float32, torch.float64):
            gradients = [torch.tensor([1.0, first]), torch.tensor([second, 2.0], dtype=dtype), rng.normal(3)]
            for norm_type in (1.0, 2.0, math.inf):
                norm = candidate(norm_of, gradients, norm_type)
                expected = torch.tensor(math.nan, dtype=dtype)
                assert_close(norm, expected, tolerance=0.0, what="the norm of NaN and inf", dtype=dtype)


@pytest.mark.behaviour
def test_policies_leave_finite_gradients_alone(candidate, rng):
    """Under each policy finite gradients are clipped, even if their squares are not finite."""
    for policy in ("error", "skip", "keep"):
        check_clipped(candidate, draw(rng, scale=1e25), 1.0, nonfinite=policy, hint="finite gradients are no accident")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate):
    """Limits and orders out of range and unknown policies raise ValueError, parameters that are no tensors TypeError."""
    good = [torch.ones(2)]

    def call(m, what, number, options, extra):
        parameters = [*with_gradients(good), *extra]
        if what == "norm":
            m.gradient_norm(parameters, number)
        elif what == "clip":
            m.clip_by_norm(parameters, number, **options)
        else:
            m.clip_by_value(parameters, number)

    refused = [
        (("norm", number, {}, []), ValueError, f"norm_type = {number}") for number in (0.0, -1.0, -math.inf, math.nan)
    ]
    refused += [
        ((what, number, {}, []), ValueError, f"a limit of {number}")
        for what in ("clip", "value")
        for number in (-1.0, -1e-9, -math.inf, math.nan)
    ]
    refused += [
        (("clip", 1.0, {"norm_type": 0.0}, []), ValueError, "norm_type = 0"),
        (("clip", 1.0, {"nonfinite": "zero"}, []), ValueError, "an unknown policy"),
        (("clip", 1.0, {"nonfinite": ""}, []), ValueError, "an empty policy"),
    ]
    refused += [
        ((what, 1.0, {}, [extra]), TypeError, f"{extra!r} among parameters")
        for what in ("norm", "clip", "value")
        for extra in (0.5, None)
    ]
    for valid in (("norm", 1e-3, {}, []), ("norm", math.inf, {}, []), ("clip", 0.0, {}, []), ("value", 0.0, {}, [])):
        assert_refuses(candidate, call, valid=valid, refused=refused)


@oracle
def block(x, norm_weight, norm_bias, first_weight, first_bias, second_weight, second_bias):
    mean = x.mean(-1, keepdim=True)
    variance = (x - mean).square().mean(-1, keepdim=True)
    normal = (x - mean) / (variance + 1e-5).sqrt() * norm_weight + norm_bias
    hidden = (normal @ first_weight.T + first_bias).relu()
    return x + hidden @ second_weight.T + second_bias


@probe_helper
def run_block(m, x, *weights):
    module = m.ResidualBlock(x.shape[-1], weights[2].shape[0]).to(x.dtype)
    if x.requires_grad:  # so that gradients reach the weights that were sent
        return torch.func.functional_call(module, dict(zip(NAMES, weights, strict=True)), (x,))
    module.load_state_dict(dict(zip(NAMES, weights, strict=True)))
    return module(x).detach()


def weights_of_a_block(rng, features=6, hidden=10, dtype=torch.float32):
    return (
        1 + rng.normal(features, scale=0.3, dtype=dtype),
        rng.normal(features, scale=0.3, dtype=dtype),
        rng.normal(hidden, features, scale=0.4, dtype=dtype),
        rng.normal(hidden, dtype=dtype),
        rng.normal(features, hidden, scale=0.4, dtype=dtype),
        rng.normal(features, dtype=dtype),
    )


@pytest.mark.points(2)
def test_block_values(candidate, rng):
    """The block is x + second(relu(first(norm(x)))), for any leading dimensions, dtype and strides."""
    hint = "norm first, relu between the two layers, and nothing on the way along x"
    for leading, features, hidden in (((2, 3), 6, 10), ((), 6, 3), ((4,), 1, 1), ((1, 1), 5, 1), ((0,), 4, 2)):
        inputs = (rng.normal(*leading, features), *weights_of_a_block(rng, features, hidden))
        check_dtypes(candidate, run_block, inputs, block, hint=hint)
    inputs = (rng.normal(2, 3, 6), *weights_of_a_block(rng))
    check_strides(candidate, run_block, inputs, block)
    check_untouched(candidate, run_block, inputs)
    huge = (rng.normal(2, 3, 6, scale=1e8), *weights_of_a_block(rng))
    assert_matches(candidate(run_block, *huge), block, *huge, what="the result for large x")


@pytest.mark.gradients
@pytest.mark.points(3)
def test_gradients_of_a_block(candidate, rng):
    """Gradients of the input and of all parameters agree with a float64 oracle."""
    for dtype in (torch.float32, torch.float64):
        inputs = (rng.normal(2, 3, 6, dtype=dtype), *weights_of_a_block(rng, dtype=dtype))
        cotangent = (rng.normal(2, 3, 6, dtype=dtype),)
        hint = "the gradient of x has two parts: along the identity and through the branch"
        check_gradients(candidate, run_block, inputs, block, cotangent, ["x", *NAMES], hint=hint)
        at_zero = (*inputs[:3], torch.zeros(10, 6, dtype=dtype), torch.zeros(10, dtype=dtype), *inputs[5:])
        hint = "the derivative of relu at 0 is 0, which that of clamp or maximum is not"
        check_gradients(candidate, run_block, at_zero, block, cotangent, ["x", *NAMES], hint=hint)


@probe_helper
def run_stack(m, x, depth, cotangent):
    """A deep stack of new blocks: result, gradient of x, and the gradients of the last layers."""
    stack = torch.nn.Sequential(*[m.ResidualBlock(x.shape[-1], 16) for _ in range(depth)])
    leaf = x.requires_grad_()
    result = stack(leaf)
    result.backward(cotangent)
    return result, leaf.grad, [module.second.weight.grad for module in stack]


@pytest.mark.gradients
@pytest.mark.points(2)
def test_a_deep_stack_passes_gradients_on(candidate, rng):
    """A stack of 100 new blocks passes x and the gradient through with every bit, and each `second` gets a gradient."""
    x, cotangent = rng.normal(4, 8, n=2)
    result, gradient, lasts = candidate(run_stack, x, 100, cotangent)
    assert_close(result, x, tolerance=0.0, what="the result of new blocks", hint="what does `second` start with?")
    assert_close(gradient, cotangent, tolerance=0.0, what="the gradient of x", hint="nothing on the way along x")
    for last in lasts:
        assert_true(
            last is not None and (last != 0).any(), "a new block learns nothing", "only `second` starts at zero"
        )


@probe_helper
def describe_block(m):
    module = m.ResidualBlock(7, 400)
    parameters = {name: tuple(value.shape) for name, value in module.named_parameters()}
    return (
        parameters,
        list(module.state_dict()),
        module.first.weight,
        module.first.bias,
        module.norm.weight,
        module.norm.bias,
    )


@pytest.mark.behaviour
def test_parameters_of_a_new_block(candidate):
    """A new block has the parameters of the table, with their shapes and initial values."""
    shapes, state, weight, bias, scale, shift = candidate(describe_block)
    expected = dict(zip(NAMES, [(7,), (7,), (400, 7), (400,), (7, 400), (7,)], strict=True))
    assert_true(shapes == expected, "parameters differ from the table in names or shapes")
    assert_true(set(state) == set(NAMES), "there are other entries in the state than the table's")
    assert_close(scale, torch.ones(7), tolerance=0.0, what="the initial norm.weight")
    assert_close(shift, torch.zeros(7), tolerance=0.0, what="the initial norm.bias")
    # Uniform in ±1/√7. Of 2800 entries none beyond 0.9 of the bound: 0.9^2800 < 1e-128; of 400: 0.9^400 < 1e-18. The mean
    # square of n such numbers has a relative standard deviation of √(0.8 / n), for n = 2800 of 0.017: 0.15 is 8.8 of them.
    bound = 7**-0.5
    for name, values in (("first.weight", weight), ("first.bias", bias)):
        peak = values.abs().max()
        assert_true(0.9 * bound <= peak <= bound, f"{name} does not start as in torch.nn.Linear")
    ratio = float(weight.square().mean()) * 3 / bound**2
    assert_true(abs(ratio - 1) < 0.15, "first.weight does not start as in torch.nn.Linear")


@pytest.mark.behaviour
def test_block_refuses_bad_arguments(candidate):
    """Widths below 1 and an x of another width raise ValueError."""

    def call(m, features, hidden, shape):
        m.ResidualBlock(features, hidden)(torch.ones(shape))

    refused = [
        ((0, 4, (2, 0)), ValueError, "features = 0"),
        ((-1, 4, (2, 1)), ValueError, "negative features"),
        ((4, 0, (2, 4)), ValueError, "hidden_features = 0"),
        ((4, 8, (2, 5)), ValueError, "an x of another width"),
        ((4, 8, (4, 1)), ValueError, "an x of width 1"),
        ((1, 8, ()), ValueError, "an x without dimensions"),
    ]
    for valid in ((4, 8, (2, 4)), (1, 1, (1,))):
        assert_refuses(candidate, call, valid=valid, refused=refused)


@probe_helper
def clip_on_cuda(m, gradients, max_norm):
    parameters = with_gradients([gradient.cuda() for gradient in gradients])
    norm = m.clip_by_norm(parameters, max_norm)
    return norm, gradients_of(parameters), norm.device.type


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """Gradients on CUDA are clipped there, and the norm is there as well."""
    gradients = draw(rng, scale=5.0)
    norm, after, device = candidate(clip_on_cuda, gradients, 1.0)
    assert_true(device == "cuda", f"the norm is on the {device}, not on the device of the gradients")
    assert_matches(norm, joint_norm, 2.0, *gradients, what="the norm on CUDA", margin=64)
    assert_matches(tuple(after), shrunk, 1.0, 2.0, *gradients, what="gradients on CUDA", margin=64)
