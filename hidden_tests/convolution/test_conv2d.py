import pytest
import torch
from torch.nn import functional

from graders.testing import assert_close, assert_matches, assert_refuses, assert_true, oracle, probe_helper
from hidden_tests.battery import check_cuda, check_dtypes, check_gradients, check_strides, check_untouched, strided

pytestmark = pytest.mark.numerics

# Shape of inputs, shape of weight, and stride, padding, dilation, groups: one of everything, kernels of one element, then
# all together.
CASES = [
    ((2, 3, 7, 6), (4, 3, 3, 3), (1, 0, 1, 1)),
    ((2, 3, 9, 8), (2, 3, 3, 2), ((2, 3), 0, 1, 1)),
    ((2, 2, 5, 6), (3, 2, 2, 3), (1, (2, 1), 1, 1)),
    ((2, 2, 9, 8), (3, 2, 3, 2), (1, 0, (2, 3), 1)),
    ((2, 4, 5, 6), (6, 2, 3, 3), (1, 1, 1, 2)),
    ((2, 3, 5, 5), (6, 1, 3, 3), (1, 1, 1, 3)),
    ((2, 3, 5, 6), (4, 3, 1, 1), ((2, 3), (1, 2), 1, 1)),
    ((2, 4, 5, 6), (6, 2, 1, 1), ((3, 2), (2, 1), 2, 2)),
    ((3, 4, 10, 9), (6, 2, 3, 2), ((2, 3), (1, 2), (3, 2), 2)),
]
ONE_ELEMENT = CASES[6:8]
NAMES = ["inputs", "weight", "bias"]
HINTS = {
    "inputs": "a pixel stands under the kernel at several positions: what becomes of its gradients?",
    "weight": "the same weight acts at every position of every image; sums, not means",
    "bias": "one number per filter, added at every position of every image",
}


@oracle
def convolve(inputs, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return functional.conv2d(inputs, weight, bias, stride, padding, dilation, groups)


@oracle
def columns_of(inputs, kernel_size, stride=1, padding=0, dilation=1):
    return functional.unfold(inputs, kernel_size, dilation, padding, stride)


@oracle
def image_of(columns, size, kernel_size, stride=1, padding=0, dilation=1):
    return functional.fold(columns, size, kernel_size, dilation, padding, stride)


@oracle
def backward(grad_output, inputs, weight, *options):
    """By torch's own autograd."""
    leaves = [inputs, weight, torch.zeros(len(weight), dtype=inputs.dtype)]
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    return torch.autograd.grad(functional.conv2d(*leaves, *options), leaves, grad_output)


@probe_helper
def call(m, inputs, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return m.conv2d(inputs, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


@probe_helper
def call_im2col(m, inputs, kernel_size, stride=1, padding=0, dilation=1):
    return m.im2col(inputs, kernel_size, stride=stride, padding=padding, dilation=dilation)


@probe_helper
def call_col2im(m, columns, size, kernel_size, stride=1, padding=0, dilation=1):
    return m.col2im(columns, size, kernel_size, stride=stride, padding=padding, dilation=dilation)


@probe_helper
def call_backward(m, grad_output, inputs, weight, stride=1, padding=0, dilation=1, groups=1):
    with torch.no_grad():
        return m.conv2d_backward(
            grad_output, inputs, weight, stride=stride, padding=padding, dilation=dilation, groups=groups
        )


def along(size, kernel_size, stride, padding, dilation):
    """Positions along one dimension, counted one by one."""
    span = dilation * (kernel_size - 1) + 1
    return sum(start + span <= size + padding for start in range(-padding, size + padding, stride))


def positions(shape, kernel_size, stride=1, padding=0, dilation=1):
    pairs = [
        value if isinstance(value, tuple) else (value, value) for value in (kernel_size, stride, padding, dilation)
    ]
    return tuple(along(shape[2 + axis], *(pair[axis] for pair in pairs)) for axis in (0, 1))


def case(rng, shapes, bias=True, dtype=torch.float32):
    """Arguments of conv2d, and a gradient of its result."""
    inputs, weight, (stride, padding, dilation, groups) = shapes
    out = positions(inputs, weight[2:], stride, padding, dilation)
    arguments = [rng.normal(*inputs, dtype=dtype), rng.normal(*weight, dtype=dtype)]
    arguments += [rng.normal(weight[0], dtype=dtype) if bias else None, stride, padding, dilation, groups]
    return tuple(arguments), rng.normal(inputs[0], weight[0], *out, dtype=dtype)


def check_values(candidate, rng, cases, hint, bias=False):
    for shapes in cases:
        arguments, _ = case(rng, shapes, bias)
        assert_matches(candidate(call, *arguments), convolve, *arguments, hint=hint)


@pytest.mark.points(2)
def test_plain_convolution(candidate, rng):
    """Without options the result is the cross-correlation of image and filters, for kernels and images of any sides."""
    shapes = [((2, 3, 7, 6), (4, 3, 3, 3)), ((1, 2, 5, 8), (3, 2, 2, 5)), ((2, 4, 6, 9), (3, 4, 1, 1))]
    shapes += [((2, 2, 5, 4), (3, 2, 5, 4)), ((1, 1, 6, 6), (1, 1, 4, 1))]
    hint = "is the kernel turned around? do height and width keep their places?"
    check_values(candidate, rng, [(*both, (1, 0, 1, 1)) for both in shapes], hint)


@pytest.mark.points(2)
def test_stride(candidate, rng):
    """The kernel moves by `stride`, along height and width by different ones if there are two; pixels may be left over."""
    options = [(2, 0, 1, 1), (3, 0, 1, 1), ((1, 2), 0, 1, 1), ((3, 1), 0, 1, 1), ((5, 4), 0, 1, 1)]
    for sides in ((7, 9), (8, 10)):
        shapes = ((2, 2, *sides), (3, 2, 3, 2))
        check_values(candidate, rng, [(*shapes, each) for each in options], "a pair is (along height, along width)")


@pytest.mark.points(2)
def test_padding(candidate, rng):
    """`padding` adds zeros on every side, as many above and below, and left and right, as it says."""
    options = [(1, 1, 1, 1), (1, 3, 1, 1), (1, (0, 2), 1, 1), (1, (2, 1), 1, 1)]
    shapes = ((2, 2, 5, 4), (3, 2, 3, 3))
    check_values(candidate, rng, [(*shapes, each) for each in options], "a pair is (along height, along width)")
    check_values(candidate, rng, ONE_ELEMENT, "a kernel of one element stands on the padding too")


@pytest.mark.points(2)
def test_dilation(candidate, rng):
    """`dilation` is the distance between neighbouring elements of the kernel."""
    options = [(1, 0, 2, 1), (1, 0, 3, 1), (1, 0, (1, 3), 1), (1, 0, (4, 1), 1)]
    shapes = ((2, 2, 9, 8), (3, 2, 3, 2))
    hint = "how many pixels does the dilated kernel span, from its first to its last element?"
    check_values(candidate, rng, [(*shapes, each) for each in options], hint)


@pytest.mark.points(2)
def test_groups(candidate, rng):
    """`groups` cuts input and output channels, in order, into blocks that see only each other; depthwise at its end."""
    shapes = [((2, 4, 5, 6), (6, 2, 3, 3), 2), ((2, 6, 4, 5), (9, 2, 2, 3), 3), ((2, 6, 5, 5), (4, 3, 3, 3), 2)]
    shapes += [((2, 4, 5, 5), (4, 1, 3, 3), 4), ((2, 3, 5, 5), (6, 1, 3, 3), 3)]
    hint = "which channels does the first filter see, and which the last?"
    check_values(candidate, rng, [(x, w, (1, 1, 1, groups)) for x, w, groups in shapes], hint)


@pytest.mark.points(2)
def test_all_options_together(candidate, rng):
    """Stride, padding, dilation, groups and bias work together, each different along height and width."""
    cases = [CASES[-1], ((2, 4, 9, 10), (8, 1, 2, 3), ((3, 2), (2, 1), (2, 3), 4))]
    check_values(candidate, rng, cases, "each option alone may be right: in which order do they act?", bias=True)


def test_bias(candidate, rng):
    """`bias` is one number per filter."""
    shapes = [((2, 3, 6, 6), (4, 3, 3, 3)), ((2, 3, 4, 5), (1, 3, 2, 2)), ((3, 2, 5, 5), (3, 2, 3, 3))]
    hint = "a vector broadcasts along the last dimension; which one is the filters'?"
    check_values(candidate, rng, [(*both, (1, 0, 1, 1)) for both in shapes], hint, bias=True)


@pytest.mark.points(2)
def test_im2col(candidate, rng):
    """im2col lays rows out by (channel, kernel row, kernel column) and columns by position, row by row."""
    hint = "check the order of a column on a small image whose pixels are 0, 1, 2, …"
    for shape, weight, (stride, padding, dilation, _) in CASES:
        arguments = (rng.normal(*shape), weight[2:], stride, padding, dilation)
        assert_matches(candidate(call_im2col, *arguments), columns_of, *arguments, what="the columns", hint=hint)
    arguments = (rng.normal(2, 2, 4, 5), 3)
    assert_matches(candidate(call_im2col, *arguments), columns_of, *arguments, what="the columns")


@pytest.mark.points(2)
def test_col2im(candidate, rng):
    """col2im adds every value of the columns to its pixel, drops those of the padding, and leaves unseen pixels zero."""
    hint = "several columns hold the same pixel, and the padded image is larger than the image"
    for (batch, channels, *size), weight, (stride, padding, dilation, _) in CASES:
        kernel_size = weight[2:]
        out_h, out_w = positions((batch, channels, *size), kernel_size, stride, padding, dilation)
        columns = rng.normal(batch, channels * kernel_size[0] * kernel_size[1], out_h * out_w)
        arguments = (columns, tuple(size), kernel_size, stride, padding, dilation)
        assert_matches(candidate(call_col2im, *arguments), image_of, *arguments, what="the image", hint=hint)
    arguments = (rng.normal(2, 18, 6), (4, 5), 3)
    assert_matches(candidate(call_col2im, *arguments), image_of, *arguments, what="the image")


def test_large_and_small_values(candidate, rng):
    """Magnitudes from 1e-12 to 1e15 are kept, and a huge pixel affects only the positions that see it."""
    arguments, _ = case(rng, CASES[-1], bias=False)
    inputs, weight, *options = arguments
    for scale in (1e-12, 1e15):
        sent = (scale * inputs, weight, *options)
        assert_matches(candidate(call, *sent), convolve, *sent, what=f"the result at magnitude {scale:g}")
    image, weight = rng.normal(2, 2, 12, 12), rng.normal(3, 2, 3, 3)
    loud = image.clone()
    loud[1, 0, 5, 6] = 1e10
    result, expected = candidate(call, loud, weight), convolve(image.double(), weight.double())
    unseen = torch.ones(2, 3, 10, 10, dtype=torch.bool)
    unseen[1, :, 3:6, 4:7] = False
    # Sums of 18 products in float32: at most 18 · 6e-8 of the sum of their sizes, which is within 10 of the largest.
    what = "the result where the huge pixel is out of sight"
    assert_close(result[unseen], expected[unseen], tolerance=1e-5, what=what, hint="which sums does it enter?")
    assert_matches(result, convolve, loud, weight)


def test_dtypes_strides_and_untouched_inputs(candidate, rng):
    """float32 and float64 keep their dtype, strides do not matter, and inputs are left as they were."""
    for shapes in (CASES[0], CASES[-1]):
        arguments, grad_output = case(rng, shapes)
        image, weight, _, *options, groups = arguments
        check_dtypes(candidate, call, arguments, convolve)
        check_strides(candidate, call, arguments, convolve)
        check_untouched(candidate, call, arguments)
        sent = (grad_output, image, weight, *options, groups)
        check_untouched(candidate, call_backward, sent)
        kernel_size = tuple(weight.shape[2:])
        columns = rng.normal(len(image), image.shape[1] * weight[0, 0].numel(), grad_output[0, 0].numel())
        for probe, reference, first in (
            (call_im2col, columns_of, (image, kernel_size)),
            (call_col2im, image_of, (columns, tuple(image.shape[2:]), kernel_size)),
        ):
            check_dtypes(candidate, probe, (*first, *options), reference)
            check_strides(candidate, probe, (*first, *options), reference)
            check_untouched(candidate, probe, (*first, *options))


def test_sizes_of_one(candidate, rng):
    """One image, one channel, one filter, one pixel, one position."""
    shapes = [((1, 1, 1, 1), (1, 1, 1, 1), (1, 0, 1, 1)), ((1, 1, 1, 1), (1, 1, 3, 3), (2, 1, 1, 1))]
    shapes += [((1, 2, 1, 5), (1, 2, 1, 3), ((4, 2), 0, 1, 1)), ((1, 2, 3, 3), (2, 1, 3, 3), (1, 0, 1, 2))]
    shapes += [((1, 1, 3, 1), (1, 1, 2, 1), (2, 0, 2, 1))]
    for each in shapes:
        arguments, grad_output = case(rng, each, dtype=torch.float64)
        assert_matches(candidate(call, *arguments), convolve, *arguments, what=f"the result for inputs {each[0]}")
        check_backward(candidate, arguments, grad_output)


@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """Wrong dtypes raise TypeError; shapes, options and groups that do not fit raise ValueError."""
    inputs, weight, bias = rng.normal(2, 4, 5, 6), rng.normal(6, 2, 3, 3), rng.normal(6)
    valid = (inputs, weight, bias, 1, 0, 1, 2)

    def but(**changed):
        names = ("inputs", "weight", "bias", "stride", "padding", "dilation", "groups")
        return tuple(changed.get(name, value) for name, value in zip(names, valid, strict=True))

    whole = {name: torch.ones(tensor.shape, dtype=torch.int64) for name, tensor in zip(NAMES, valid[:3], strict=True)}
    refused = [
        (but(**whole), TypeError, "integer inputs, weight and bias"),
        (but(weight=weight.double()), TypeError, "a weight of another dtype"),
        (but(bias=bias.double()), TypeError, "a bias of another dtype"),
        (but(inputs=inputs[0]), ValueError, "inputs without a batch"),
        (but(inputs=inputs[None]), ValueError, "inputs of five dimensions"),
        (but(weight=weight[0]), ValueError, "a weight of three dimensions"),
        (but(weight=weight[..., None]), ValueError, "a weight of five dimensions"),
        (but(stride=0), ValueError, "a stride of 0"),
        (but(stride=(1, -1)), ValueError, "a negative stride along the width"),
        (but(stride=(2, 0)), ValueError, "a stride of 0 along the width"),
        (but(stride=(0, 2)), ValueError, "a stride of 0 along the height"),
        (but(padding=-1), ValueError, "a negative padding"),
        (but(padding=(-1, 0)), ValueError, "a negative padding along the height"),
        (but(padding=(1, -1)), ValueError, "a negative padding along the width"),
        (but(dilation=0), ValueError, "a dilation of 0"),
        (but(dilation=(2, 0)), ValueError, "a dilation of 0 along the width"),
        (but(dilation=(0, 2)), ValueError, "a dilation of 0 along the height"),
        (but(groups=0), ValueError, "no groups"),
        (but(groups=-2), ValueError, "a negative number of groups"),
        (but(inputs=rng.normal(2, 5, 5, 6)), ValueError, "groups that do not divide the input channels"),
        (but(weight=weight[:5], bias=bias[:5]), ValueError, "groups that do not divide the output channels"),
        (but(weight=rng.normal(6, 4, 3, 3)), ValueError, "a weight with all channels in spite of groups"),
        (but(weight=rng.normal(6, 1, 3, 3)), ValueError, "a weight with too few channels"),
        (but(bias=bias[:5]), ValueError, "a bias that is too short"),
        (but(bias=bias[:1]), ValueError, "a bias that only broadcasts to the filters"),
        (but(bias=bias[:, None, None]), ValueError, "a bias of three dimensions"),
        (but(dilation=(1, 3)), ValueError, "a dilated kernel that is wider than the image"),
        (but(weight=rng.normal(6, 2, 6, 3)), ValueError, "a kernel that is higher than the image"),
        (
            but(weight=rng.normal(6, 2, 6, 3), stride=3),
            ValueError,
            "a kernel that is higher than the image, at stride 3",
        ),
    ]
    assert_refuses(candidate, call, valid=valid, refused=refused)
    # As large as the padded image is not too large.
    assert_refuses(candidate, call, valid=but(padding=(0, 1), dilation=(2, 3)), refused=refused[:1])


def check_backward(candidate, arguments, grad_output, tolerance=1e-9):
    inputs, weight, _, *options = arguments
    grads = candidate(call_backward, grad_output, inputs, weight, *options)
    assert_true(isinstance(grads, tuple | list) and len(grads) == 3, "conv2d_backward should return three gradients")
    expected = backward(grad_output.double(), inputs.double(), weight.double(), *options)
    for mine, want, name in zip(grads, expected, NAMES, strict=True):
        what = f"the gradient of {name}"
        assert_close(mine, want, tolerance=tolerance, what=what, hint=HINTS[name], dtype=inputs.dtype)


@pytest.mark.gradients
@pytest.mark.points(3)
def test_backward_by_hand(candidate, rng):
    """conv2d_backward returns the gradients of inputs, weight and bias, for each option and all together."""
    for shapes in CASES:
        check_backward(candidate, *case(rng, shapes, dtype=torch.float64))
    # float32: sums of at most 240 products, each within 6e-8; the size of a sum varies by less than 10 around its own.
    check_backward(candidate, *case(rng, CASES[-1]), tolerance=1e-4)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_where_pixels_are_left_over(candidate, rng):
    """grad_inputs has the shape of inputs, with zeros at pixels that no position of the kernel sees."""
    for sides in ((8, 9), (9, 8), (10, 11)):
        for stride, padding, dilation in ((3, 0, 1), ((4, 3), 0, 1), ((3, 4), (1, 0), (1, 2)), (5, 2, 2)):
            shapes = ((2, 2, *sides), (3, 2, 2, 2), (stride, padding, dilation, 1))
            check_backward(candidate, *case(rng, shapes, dtype=torch.float64))


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_with_groups(candidate, rng):
    """With groups, every gradient stays within its block of channels."""
    for shapes in (((2, 4, 5, 6), (6, 2, 3, 3)), ((3, 6, 4, 5), (9, 2, 2, 3)), ((2, 3, 5, 5), (6, 1, 3, 3))):
        groups = shapes[0][1] // shapes[1][1]
        check_backward(candidate, *case(rng, (*shapes, (1, 1, 1, groups)), dtype=torch.float64))


@pytest.mark.gradients
def test_backward_of_any_strides(candidate, rng):
    """conv2d_backward takes a gradient, inputs and a weight of any strides, also one expanded from a single number."""
    for shapes in (CASES[0], CASES[-1]):
        (inputs, weight, _, *options), grad_output = case(rng, shapes, dtype=torch.float64)
        one_number = rng.normal(1, dtype=torch.float64)

        def differentiate(m, inputs, weight, one_number, *options, shape=tuple(grad_output.shape)):
            with torch.no_grad():  # the expansion here, for it would not survive the trip
                return m.conv2d_backward(one_number.expand(shape), inputs, weight, *options)

        strided_ones = strided(inputs), strided(weight)
        for grads, given in (
            (candidate(call_backward, strided(grad_output), *strided_ones, *options), grad_output),
            (candidate(differentiate, *strided_ones, one_number, *options), one_number.expand(grad_output.shape)),
        ):
            for mine, want, name in zip(grads, backward(given, inputs, weight, *options), NAMES, strict=True):
                hint = "view() and as_strided() need to know the memory; reshape() and indexing do not"
                assert_close(mine, want, tolerance=1e-9, what=f"the gradient of {name}", hint=hint)


@probe_helper
def differentiate_some(m, places, grad_output, *arguments):
    """Gradients of the arguments at `places`, the only ones that require any."""
    leaves = [arguments[place].requires_grad_() for place in places]
    result = m.conv2d(*arguments)
    if not result.requires_grad:
        return [None for _ in leaves]
    return list(torch.autograd.grad(result, leaves, grad_output, allow_unused=True))


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_by_autograd(candidate, rng):
    """Autograd's gradients of inputs, weight and bias through conv2d are right, whichever of them require gradients."""
    for shapes in CASES:
        arguments, cotangent = case(rng, shapes)
        check_gradients(candidate, call, arguments, convolve, (cotangent,), NAMES)
    arguments, cotangent = case(rng, CASES[-1], bias=False, dtype=torch.float64)
    check_gradients(candidate, call, arguments, convolve, (cotangent,), NAMES[:2])
    hint = "the gradient that backward gets need not be contiguous"
    check_gradients(candidate, call, arguments, convolve, (strided(cotangent),), NAMES[:2], hint=hint)
    # Nobody asks for the gradient of a first layer's image, or of a frozen layer's weight.
    arguments, cotangent = case(rng, CASES[-1], dtype=torch.float64)
    inputs, weight, _, *options = arguments
    expected = backward(cotangent, inputs, weight, *options)
    hint = "does your code take another way where one of its arguments requires no gradient?"
    for places in ((0,), (1,), (2,), (0, 1), (0, 2), (1, 2)):
        grads = candidate(differentiate_some, places, cotangent, *arguments)
        only = " and ".join(NAMES[place] for place in places)
        for mine, place in zip(grads, places, strict=True):
            what = f"the gradient of {NAMES[place]}, where only {only} should have one,"
            assert_true(mine is not None, f"{what} is missing", hint)
            assert_close(mine, expected[place], tolerance=1e-9, what=what, hint=hint)


@probe_helper
def forward_and_backward(m, inputs, weight, bias, grad_output):
    result = m.conv2d(inputs, weight, bias, padding=1)
    grads = m.conv2d_backward(grad_output, inputs, weight, padding=1)
    return torch.cat([each.flatten() for each in (result, *grads)])


@oracle
def both_ways(inputs, weight, bias, grad_output):
    grads = backward(grad_output, inputs, weight, 1, 1)
    return torch.cat([each.flatten() for each in (convolve(inputs, weight, bias, padding=1), *grads)])


def check_throughput(result, *arguments):
    """Each part against its own size: the gradient of bias, a sum over all positions, is the largest."""
    sizes = [4 * 8 * 64 * 64, 4 * 8 * 64 * 64, 8 * 8 * 3 * 3, 8]
    expected = both_ways(*(each.double() for each in arguments)).split(sizes)
    parts = ("the result", *(f"the gradient of {name}" for name in NAMES))
    for mine, want, what in zip(result.split(sizes), expected, parts, strict=True):
        assert_close(mine, want, tolerance=1e-4, what=what, dtype=arguments[0].dtype)


@pytest.mark.throughput
@pytest.mark.points(5)
def test_throughput(throughput):
    """Fast enough to be matrix products: no Python loop over positions, forward or backward."""
    throughput(
        call=forward_and_backward,
        inputs=lambda rng: (
            rng.normal(4, 8, 64, 64),
            rng.normal(8, 8, 3, 3),
            rng.normal(8),
            rng.normal(4, 8, 64, 64),
        ),
        check=check_throughput,
        naive="accept_position_loop",
    )


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors the result is computed on the device."""
    check_cuda(candidate, call, case(rng, CASES[-1])[0], convolve)
