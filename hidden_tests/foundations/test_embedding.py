import pytest
import torch
import torch.nn.functional as F

from graders.testing import assert_close, assert_matches, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import check_cuda, check_gradients, check_strides, check_untouched, strided

pytestmark = pytest.mark.numerics

BOTH = (torch.float32, torch.float64)
MODES = ("sum", "mean", "max")
SHAPES = [(6,), (3, 5), (2, 3, 4), ()]


@oracle
def look_up(ids, weight, padding_idx=None):
    """Row by row."""
    rows = [weight[int(i)] for i in ids.flatten()]
    return (
        torch.stack(rows).reshape(*ids.shape, weight.shape[1])
        if rows
        else weight.new_zeros(*ids.shape, weight.shape[1])
    )


@oracle
def accumulate(grad_output, ids, num_embeddings, padding_idx=None):
    """One addition after the other."""
    result = grad_output.new_zeros(num_embeddings, grad_output.shape[-1])
    padding = None if padding_idx is None else padding_idx % num_embeddings
    for i, row in zip(ids.flatten().tolist(), grad_output.reshape(ids.numel(), -1), strict=True):
        if i != padding:
            result[i] += row
    return result


@oracle
def trained(ids, weight, padding_idx=None):
    """PyTorch's own operator, for its gradients."""
    return F.embedding(ids.long(), weight, padding_idx)


@oracle
def bags(ids, weight, offsets, mode="mean", padding_idx=None):
    """Bag by bag, each from the rows that are left; differentiable."""
    padding = None if padding_idx is None else padding_idx % len(weight)
    ends, results = [*offsets.tolist()[1:], len(ids)], []
    for start, end in zip(offsets.tolist(), ends, strict=True):
        rows = [weight[i] for i in ids[start:end].tolist() if i != padding]
        if not rows:
            results.append(0 * weight[0])
        elif mode == "max":
            results.append(torch.stack(rows).max(0).values)
        else:
            results.append(torch.stack(rows).sum(0) / (len(rows) if mode == "mean" else 1))
    return torch.stack(results)


@oracle
def hot(ids, num_embeddings):
    return F.one_hot(ids.long(), num_embeddings)


@oracle
def scores(hidden, weight):
    return torch.einsum("...d,vd->...v", hidden, weight)


def call(m, ids, weight, padding_idx=None):
    return m.embedding(ids, weight, padding_idx)


def call_backward(m, grad_output, ids, num_embeddings, padding_idx=None):
    with torch.no_grad():
        return m.embedding_backward(grad_output, ids, num_embeddings, padding_idx)


def call_bag(m, ids, weight, offsets, mode="mean", padding_idx=None):
    return m.embedding_bag(ids, weight, offsets, mode, padding_idx)


def call_scores(m, hidden, weight):
    return m.tied_scores(hidden, weight)


def repeating(rng, *shape, rows=5):
    """Ids of which some certainly repeat, where there are more than one."""
    ids = rng.integers(0, rows, *shape)
    if ids.numel() > 1:
        ids.view(-1)[-1] = ids.view(-1)[0]
    return ids


def bagged(rng, rows=7, dim=3, dtype=torch.float32):
    """Ids, weight and offsets of bags of several lengths; the first, two in the middle and the last one are empty."""
    lengths = torch.tensor([0, 3, 1, 0, 0, 6, 2, 5, 0])
    offsets = torch.cumsum(lengths, 0) - lengths
    ids = rng.integers(0, rows, int(lengths.sum()))
    ids[1] = ids[0]
    return ids, rng.normal(rows, dim, dtype=dtype), offsets


@pytest.mark.points(2)
def test_lookup(candidate, rng):
    """embedding gives exactly the row of weight for each id, for ids of any shape."""
    for dtype in BOTH:
        for shape in SHAPES:
            ids, weight = repeating(rng, *shape), rng.normal(5, 4, dtype=dtype)
            result = candidate(call, ids, weight)
            hint = "ids of shape (…) give a result of shape (…, dim)"
            assert_close(result, look_up(ids, weight), tolerance=0.0, what="the lookup", hint=hint, dtype=dtype)


def test_lookup_of_padding(candidate, rng):
    """The row padding_idx comes out as it stands in weight."""
    for padding in (0, 2, 4, -1, -5):
        ids, weight = repeating(rng, 4, 6), rng.normal(5, 3)
        ids[0, :2] = padding % 5
        result = candidate(call, ids, weight, padding)
        hint = "padding_idx cuts the gradient, not the value"
        assert_close(result, look_up(ids, weight), tolerance=0.0, what="the lookup with padding", hint=hint)


def test_kinds_of_ids(candidate, rng):
    """Ids may be int64 or int32, empty, and strided; weights may be strided, have one row or one dimension."""
    ids, weight = repeating(rng, 3, 4), rng.normal(5, 4)
    for given in (ids, ids.int()):
        assert_close(candidate(call, given, weight), look_up(ids, weight), tolerance=0.0, what=f"ids of {given.dtype}")
        check_strides(candidate, call, (given, weight), look_up)
    for shape in ((0,), (2, 0), (0, 3)):
        empty = torch.zeros(shape, dtype=torch.int64)
        assert_close(candidate(call, empty, weight), weight.new_zeros(*shape, 4), tolerance=0.0, what="no ids")
    for rows, dim in ((1, 4), (3, 1), (1, 1)):
        few, narrow = rng.integers(0, rows, 5), rng.normal(rows, dim)
        assert_close(candidate(call, few, narrow), look_up(few, narrow), tolerance=0.0, what="a small weight")


def test_extreme_values(candidate, rng):
    """Rows of 1e30 and of 1e-30 next to each other are looked up exactly, and their bags are right."""
    ids, weight, offsets = bagged(rng)
    weight = weight * torch.tensor([1e30, 1e-30, 1.0, 1e30, 1e-30, 1.0, 1e-30])[:, None]
    assert_close(candidate(call, ids, weight), look_up(ids, weight), tolerance=0.0, what="the lookup", per_row=True)
    for mode in MODES:
        result = candidate(call_bag, ids, weight, offsets, mode)
        # A few roundings of 6e-8, in sums that cancel by a factor of 1000 in all three features with a chance below 1e-8.
        expected, what = bags(ids, weight.double(), offsets, mode), f"the {mode} of bags"
        assert_close(result, expected, tolerance=1e-3, what=what, dtype=torch.float32, per_row=True)
    negative = -1e30 * rng.uniform(7, 3, low=0.5)
    result = candidate(call_bag, ids, negative, offsets, "max")
    assert_matches(result, bags, ids, negative, offsets, "max", hint="where does the maximum of a bag begin?")


@pytest.mark.points(3)
def test_bags(candidate, rng):
    """embedding_bag gives the sum, the mean or the maximum of the rows of each bag, the mean by default."""
    hint = "a bag ends where the next one begins, the last one at the end of ids"
    for dtype in BOTH:
        ids, weight, offsets = bagged(rng, dtype=dtype)
        for mode in MODES:
            result = candidate(call_bag, ids, weight, offsets, mode)
            assert_matches(result, bags, ids, weight, offsets, mode, what=f"the {mode} of bags", hint=hint)
        result = candidate(lambda m, *bag: m.embedding_bag(*bag), ids, weight, offsets)
        assert_matches(result, bags, ids, weight, offsets, hint="the mean is the default")
    for given, starts in ((ids.int(), offsets.int()), (ids.int(), offsets), (ids, offsets.int())):
        for mode in MODES:
            result = candidate(call_bag, given, weight, starts, mode)
            what, hint = f"the {mode} of bags of {given.dtype} ids", f"here with {starts.dtype} offsets"
            assert_matches(result, bags, ids, weight, offsets, mode, what=what, hint=hint)


@pytest.mark.points(2)
def test_empty_bags(candidate, rng):
    """A bag without ids is 0 in every mode, wherever it stands."""
    weight = rng.normal(4, 3) - 5
    none, ids = torch.zeros(0, dtype=torch.int64), rng.integers(0, 4, 5)
    for mode in MODES:
        for given, offsets in ((none, [0]), (none, [0, 0, 0]), (ids, [0, 5, 5]), (ids, [0, 0, 0, 3]), (ids, [0])):
            starts = torch.tensor(offsets)
            result = candidate(call_bag, given, weight, starts, mode)
            hint = "nothing is divided by zero, and the maximum of nothing is not -inf"
            assert_matches(result, bags, given, weight, starts, mode, what=f"the {mode} of bags", hint=hint)


@pytest.mark.points(2)
def test_bags_without_their_padding(candidate, rng):
    """Ids that are padding count in no sum, mean or maximum; a bag of padding alone is 0."""
    hint = "padding is neither a row of zeros nor part of the length"
    for padding in (0, 3, 6, -1, -7):
        ids, weight, offsets = bagged(rng)
        weight[padding] = 9.0
        ids[3], ids[4], ids[7] = padding % 7, padding % 7, padding % 7
        for mode in MODES:
            for rows in (weight, -weight):
                result = candidate(call_bag, ids, rows, offsets, mode, padding)
                assert_matches(result, bags, ids, rows, offsets, mode, padding, what=f"the {mode} of bags", hint=hint)
        alone = torch.full((4,), padding % 7)
        for mode in MODES:
            result = candidate(call_bag, alone, weight, torch.tensor([0, 1]), mode, padding)
            assert_close(result, torch.zeros(2, 3), tolerance=0.0, what=f"the {mode} of padding", hint=hint)


@pytest.mark.points(2)
def test_one_hot(candidate, rng):
    """one_hot has a single 1 in each vector, at the place of the id, and the dtype asked for."""
    for shape in [*SHAPES, (0,)]:
        for kind in (torch.int64, torch.int32):
            ids = repeating(rng, *shape).to(kind)
            result = candidate(lambda m, ids: m.one_hot(ids, 5), ids)
            what, hint = "one_hot", "the new dimension is the last one"
            assert_close(result, hot(ids, 5), tolerance=0.0, what=what, hint=hint, dtype=torch.float32)
    for dtype in (torch.float64, torch.float32, torch.int64):
        result = candidate(lambda m, ids, dtype: m.one_hot(ids, 6, dtype=dtype), ids, dtype)
        assert_close(result, hot(ids, 6), tolerance=0.0, what="one_hot", dtype=dtype)


@probe_helper
def two_ways(m, ids, weight, cotangent):
    leaf = weight.requires_grad_()
    results = [m.embedding(ids, leaf), m.one_hot(ids, len(weight), dtype=weight.dtype) @ leaf]
    grads = [torch.autograd.grad(result, leaf, cotangent)[0] for result in results]
    with torch.no_grad():
        grads.append(m.embedding_backward(cotangent, ids, len(weight)))
    return results, grads


@pytest.mark.points(2)
def test_lookup_is_a_product_with_one_hot(candidate, rng):
    """A lookup and a product with one_hot have the same values and the same gradient."""
    for dtype in BOTH:
        ids, weight, cotangent = repeating(rng, 4, 6), rng.normal(5, 3, dtype=dtype), rng.normal(4, 6, 3, dtype=dtype)
        results, grads = candidate(two_ways, ids, weight, cotangent)
        for result in results:
            assert_close(result, look_up(ids, weight), tolerance=0.0, what="a lookup", dtype=dtype)
        for gradient in grads:
            assert_matches(gradient, accumulate, cotangent, ids, 5, what="the gradient of a lookup")


def test_tied_scores(candidate, rng):
    """tied_scores has the dot product of each hidden vector with each row of weight."""
    for dtype in BOTH:
        for leading in ((6,), (2, 5), ()):
            hidden, weight = rng.normal(*leading, 4, dtype=dtype), rng.normal(7, 4, dtype=dtype)
            assert_matches(candidate(call_scores, hidden, weight), scores, hidden, weight, hint="one score per row")
    check_strides(candidate, call_scores, (rng.normal(2, 5, 4), weight.float()), scores)
    for rows, dim in ((1, 4), (3, 1), (1, 1)):
        # float64: of a single number cancellation may leave little in float32.
        hidden, weight = rng.normal(1, dim, dtype=torch.float64), rng.normal(rows, dim, dtype=torch.float64)
        assert_matches(candidate(call_scores, hidden, weight), scores, hidden, weight)


def test_inputs_are_left_as_they_were(candidate, rng):
    """Ids, weights, offsets and gradients are not changed by any call, and a result is no view of its inputs."""
    ids, weight, offsets = bagged(rng)
    ids[2] = 1
    check_untouched(candidate, call, (ids, weight, 1))
    check_untouched(candidate, call_backward, (rng.normal(len(ids), 3), ids, 7, 1))
    check_untouched(candidate, lambda m, ids: m.one_hot(ids, 7), (ids,))
    check_untouched(candidate, call_scores, (rng.normal(4, 3), weight))
    for mode in MODES:
        check_untouched(candidate, call_bag, (ids, weight, offsets, mode, 1))

    def write_into_result(m):
        with torch.no_grad():
            m.embedding(torch.tensor([0]), weight).fill_(5.0)
            m.embedding(torch.tensor(1), weight).fill_(5.0)
        return m.embedding(ids, weight), weight

    result, after = candidate(write_into_result)
    assert_same(after, weight, "a weight")
    assert_close(result, look_up(ids, weight), tolerance=0.0, what="the lookup")


@pytest.mark.points(3)
def test_refuses_bad_arguments(candidate, rng):
    """Ids and padding_idx out of range and shapes that do not fit raise ValueError, wrong dtypes TypeError."""
    ids, weight, offsets = torch.tensor([0, 4, 2]), rng.normal(5, 3), torch.tensor([0, 1])
    grad = rng.normal(3, 3)
    wrong_ids = [
        (torch.tensor([0, 5]), ValueError, "an id of num_embeddings"),
        (torch.tensor([-1, 2]), ValueError, "a negative id"),
        (torch.tensor([0.0, 1.0]), TypeError, "a floating id"),
        (torch.tensor([True, False]), TypeError, "a boolean id"),
        (torch.tensor([1, 2], dtype=torch.uint8), TypeError, "an id of uint8"),
        (torch.zeros(0), TypeError, "a floating tensor without ids"),
    ]
    wrong_weights = [
        (weight.long(), TypeError, "an integer weight"),
        (weight.to(torch.int8), TypeError, "a weight of int8"),
        (weight.to(torch.complex64), TypeError, "a complex weight"),
        (weight[0], ValueError, "a weight with one dimension"),
        (weight[None], ValueError, "a weight with three dimensions"),
    ]
    paddings = [(padding, ValueError, f"padding_idx = {padding}") for padding in (5, -6)]
    none, last = ids[:0], torch.tensor([0, -1])
    without, counted = "padding_idx = 17 where there are no ids", "an id of -1 where padding_idx is -1"
    for padding in (-5, 4):
        assert_refuses(
            candidate,
            call,
            valid=(ids, weight, padding),
            refused=[((i, weight), kind, what) for i, kind, what in wrong_ids]
            + [((ids, w), kind, what) for w, kind, what in wrong_weights]
            + [((ids, weight, padding), kind, what) for padding, kind, what in paddings]
            + [((none, weight, 17), ValueError, without), ((last, weight, -1), ValueError, counted)],
        )
        assert_refuses(
            candidate,
            call_backward,
            valid=(grad, ids, 5, padding),
            refused=[((grad[: len(i)], i, 5), kind, f"{what} in the backward pass") for i, kind, what in wrong_ids]
            + [((grad, ids, 5, padding), kind, f"{what} in the backward pass") for padding, kind, what in paddings]
            + [
                ((grad[:0], none, 5, 17), ValueError, f"{without} in the backward pass"),
                ((grad[:2], last, 5, -1), ValueError, f"{counted} in the backward pass"),
                ((grad, none, 5), ValueError, "a grad_output where there are no ids"),
                ((grad[:2], ids, 5), ValueError, "a grad_output for other ids"),
                ((grad[:, None], ids, 5), ValueError, "a grad_output with one dimension more"),
                ((grad[0], ids, 5), ValueError, "a grad_output without the dimension of ids"),
                ((torch.tensor(1.0), torch.tensor(1), 5), ValueError, "a grad_output without dimensions"),
            ],
        )
    bad_offsets = [
        ([1, 2], "a first offset that is not 0"),
        ([0, 2, 1], "offsets that fall"),
        ([0, 4], "an offset beyond ids"),
        ([], "no offsets"),
        ([0, -1, 2], "a negative offset"),
    ]
    assert_refuses(
        candidate,
        call_bag,
        valid=(ids, weight, torch.tensor([0, 3]), "max", -5),
        refused=[((i, weight, offsets[:1]), kind, f"{what} in a bag") for i, kind, what in wrong_ids]
        + [((ids, w, offsets), kind, what) for w, kind, what in wrong_weights]
        + [((ids, weight, offsets, "sum", padding), kind, what) for padding, kind, what in paddings]
        + [((ids, weight, torch.tensor(o, dtype=torch.int64)), ValueError, what) for o, what in bad_offsets]
        + [
            ((none, weight, offsets[:1], "sum", 17), ValueError, f"{without} in a bag"),
            ((last, weight, offsets, "sum", -1), ValueError, f"{counted} in a bag"),
            ((ids, weight, offsets, "median"), ValueError, "another mode"),
            ((ids, weight, offsets, "SUM"), ValueError, "a mode in capitals"),
            ((ids[None], weight, offsets), ValueError, "ids of a bag with two dimensions"),
            ((ids, weight, offsets[None]), ValueError, "offsets with two dimensions"),
            ((ids, weight, offsets.float()), TypeError, "floating offsets"),
            ((ids, weight, offsets.bool()), TypeError, "boolean offsets"),
            ((ids, weight, offsets.short()), TypeError, "offsets of int16"),
        ],
    )
    assert_refuses(
        candidate,
        lambda m, ids, size: m.one_hot(ids, size),
        valid=(ids, 5),
        refused=[((i, 5), kind, f"{what} of one_hot") for i, kind, what in wrong_ids],
    )
    assert_refuses(
        candidate,
        call_scores,
        valid=(grad, weight),
        refused=[((grad, w), kind, f"{what} of tied_scores") for w, kind, what in wrong_weights]
        + [
            ((grad[:, :2], weight), ValueError, "hidden vectors of another size"),
            ((grad[:, :1], weight), ValueError, "hidden vectors of size one"),
            ((torch.tensor(1.0), weight[:, :1]), ValueError, "a hidden number"),
            ((grad.long(), weight), TypeError, "integer hidden vectors"),
        ],
    )


@pytest.mark.gradients
@pytest.mark.points(3)
def test_backward_by_hand(candidate, rng):
    """embedding_backward adds up the gradients of all places where a row was looked up."""
    hint = "rows that go to the same place must be added, not overwritten"
    for dtype in BOTH:
        for shape in [*SHAPES, (40,)]:
            ids, grad = repeating(rng, *shape), rng.normal(*shape, 4, dtype=dtype)
            result = candidate(call_backward, grad, ids, 6)
            assert_matches(result, accumulate, grad, ids, 6, what="the gradient of weight", hint=hint)
            same = torch.full(shape, 3)
            result = candidate(call_backward, grad, same, 6)
            assert_matches(result, accumulate, grad, same, 6, what="the gradient of a row that repeats", hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_backward_with_padding(candidate, rng):
    """The row padding_idx, and no other, receives nothing from embedding_backward, counted from either end."""
    for padding in (0, 2, 5, -1, -3, -6):
        ids, grad = repeating(rng, 5, 4, rows=6), rng.normal(5, 4, 3)
        ids[1] = padding % 6
        result = candidate(call_backward, grad, ids, 6, padding)
        hint = "which row is padding_idx = -1, and is 0 a padding_idx?"
        assert_matches(result, accumulate, grad, ids, 6, padding, what="the gradient of weight", hint=hint)


@pytest.mark.gradients
def test_backward_of_awkward_inputs(candidate, rng):
    """int32 ids, no ids, one row, one dimension and gradients of any strides are fine."""
    ids, grad = repeating(rng, 4, 3), rng.normal(4, 3, 2)
    result = candidate(call_backward, strided(grad), strided(ids.int()), 5)
    assert_matches(result, accumulate, grad, ids, 5, what="the gradient of weight", hint="reshape, not view")
    expanded = rng.normal(3, 1).expand(3, 4)
    result = candidate(lambda m: m.embedding_backward(expanded[:, :1].expand(3, 4), torch.tensor([1, 1, 0]), 3))
    assert_matches(result, accumulate, expanded, torch.tensor([1, 1, 0]), 3, what="the gradient of weight")
    for shape in ((0,), (2, 0)):
        result = candidate(call_backward, torch.zeros(*shape, 3), torch.zeros(shape, dtype=torch.int64), 4)
        assert_close(result, torch.zeros(4, 3), tolerance=0.0, what="the gradient without ids")
    for rows, dim in ((1, 3), (4, 1), (1, 1)):
        ids, grad = rng.integers(0, rows, 5), rng.normal(5, dim, dtype=torch.float64)
        assert_matches(candidate(call_backward, grad, ids, rows), accumulate, grad, ids, rows, what="a small gradient")


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_by_autograd(candidate, rng):
    """Autograd of embedding agrees with the accumulation, and the row padding_idx is not trained."""
    for dtype in BOTH:
        for shape in [*SHAPES, (0,), (2, 0)]:
            ids, cotangent = repeating(rng, *shape), rng.normal(*shape, 4, dtype=dtype)
            first = int(ids.flatten()[0]) if ids.numel() else 0
            for padding in (None, first, first - 5):
                arguments = (ids, rng.normal(5, 4, dtype=dtype), padding)
                hint = "the same row in several places, and the row that is padding"
                check_gradients(candidate, call, arguments, trained, (cotangent,), ["weight"], hint=hint)
            hint = "the gradient that arrives may have any strides"
            loose = (strided(cotangent),)
            check_gradients(candidate, call, (ids.int(), *arguments[1:]), trained, loose, ["weight"], hint=hint)


@pytest.mark.gradients
@pytest.mark.points(2)
def test_gradients_of_bags(candidate, rng):
    """Gradients reach the rows of a bag: all of them alike for sum and mean, the largest ones for max; never padding."""
    for dtype in BOTH:
        for padding in (None, 2, -1):
            ids, weight, offsets = bagged(rng, dtype=dtype)
            if padding is not None:
                ids[3], ids[5] = padding % 7, padding % 7
                weight[padding] = 8.0
            cotangent = (rng.normal(len(offsets), 3, dtype=dtype),)
            for mode in MODES:
                arguments = (ids, weight, offsets, mode, padding)
                hint = "empty bags give no gradient, and what is divided by is the number of ids that are left"
                check_gradients(candidate, call_bag, arguments, bags, cotangent, ["weight"], hint=hint)


@pytest.mark.gradients
def test_gradient_of_a_row_that_is_twice_in_a_bag(candidate, rng):
    """A row that stands twice in a bag receives its share of the mean twice, and the whole gradient of a maximum once."""
    weight, cotangent = rng.normal(3, 4, dtype=torch.float64), (rng.normal(1, 4, dtype=torch.float64),)
    weight[1] = weight[1].abs() + 5
    arguments = (torch.tensor([1, 0, 1]), weight, torch.tensor([0]))
    for mode in MODES:
        hint = "how much of it arrives in all?"
        check_gradients(candidate, call_bag, (*arguments, mode), bags, cotangent, ["weight"], hint=hint)


@probe_helper
def use_tied(m, ids, weight, cotangent):
    leaf = weight.requires_grad_()
    result = m.tied_scores(torch.tanh(m.embedding(ids, leaf)), leaf)
    return result, torch.autograd.grad(result, leaf, cotangent)[0]


@oracle
def tied(ids, weight):
    return torch.tanh(F.embedding(ids, weight)) @ weight.T


@oracle
def tied_gradient(ids, weight, cotangent):
    leaf = weight.clone().requires_grad_()
    return torch.autograd.grad(torch.tanh(F.embedding(ids, leaf)) @ leaf.T, leaf, cotangent)[0]


@pytest.mark.gradients
def test_gradients_of_tied_weights(candidate, rng):
    """A weight that is used for lookup and scores receives both gradients; hidden vectors receive theirs."""
    ids, weight, cotangent = repeating(rng, 2, 4), rng.normal(5, 3), rng.normal(2, 4, 5)
    result, gradient = candidate(use_tied, ids, weight, cotangent)
    assert_matches(result, tied, ids, weight, what="the scores")
    assert_matches(gradient, tied_gradient, ids, weight, cotangent, what="the gradient of weight", hint="no detach")
    hidden = rng.normal(2, 4, 3)
    check_gradients(candidate, call_scores, (hidden, weight), scores, (cotangent,), ["hidden", "weight"])


@probe_helper
def look_at_graph(m, ids, weight):
    """Names of the functions in the graph of a result, and whether the one asked for is an autograd Function."""
    result = m.embedding(ids, weight.requires_grad_())
    nodes, names = [result.grad_fn], []
    while nodes:
        node = nodes.pop()
        if node is not None:
            names.append(type(node).__name__)
            nodes += [below for below, _ in node.next_functions]
    return names, issubclass(m.EmbeddingFunction, torch.autograd.Function)


@pytest.mark.gradients
def test_the_graph_leads_through_the_function(candidate, rng):
    """`embedding` is built on the autograd Function `EmbeddingFunction`."""
    for shape in ((4,), (2, 3), ()):
        names, is_function = candidate(look_at_graph, repeating(rng, *shape), rng.normal(5, 3))
        assert_true(is_function, "EmbeddingFunction is not a torch.autograd.Function")
        found = "EmbeddingFunctionBackward" in names
        assert_true(found, "the graph does not lead through EmbeddingFunction", "call its apply", ", ".join(names))


@probe_helper
def change_before_backward(m, ids, weight, cotangent):
    leaf = weight.requires_grad_()
    before = torch.autograd.grad(m.embedding(ids, leaf), leaf, cotangent)[0]
    result = m.embedding(ids, leaf)
    ids.copy_((ids + 1) % len(weight))
    try:
        after = torch.autograd.grad(result, leaf, cotangent)[0]
    except RuntimeError:
        after = None
    return before, after


@pytest.mark.gradients
def test_ids_changed_in_place_are_never_silently_wrong(candidate, rng):
    """If ids are changed in place between forward and backward, the gradient is right or refused."""
    for shape in ((6,), (3, 4)):
        ids, weight, cotangent = repeating(rng, *shape), rng.normal(5, 3), rng.normal(*shape, 3)
        for gradient in candidate(change_before_backward, ids, weight, cotangent):
            if gradient is not None:
                hint = "where does autograd check that a tensor is still what it was?"
                assert_matches(gradient, accumulate, cotangent, ids, 5, what="a gradient after a change", hint=hint)


@probe_helper
def two_lookups(m, first, second, weight, cotangent):
    leaf = weight.requires_grad_()
    results = [m.embedding(first, leaf), m.embedding(second, leaf, 0)]
    again = [*results, results[0]]
    return [torch.autograd.grad(result, leaf, cotangent, retain_graph=True)[0] for result in again], cotangent


@pytest.mark.gradients
def test_two_lookups_in_one_graph(candidate, rng):
    """Each lookup remembers its own ids and padding, however often its backward pass runs, and changes no gradient in place."""
    first, second, cotangent = repeating(rng, 6), repeating(rng, 6), rng.normal(6, 3)
    second[2] = 0  # the padding of the second lookup is among its ids, whatever the seed
    grads, after = candidate(two_lookups, first, second, rng.normal(5, 3), cotangent)
    assert_same(after, cotangent, "the gradient of the result")
    for gradient, ids, padding in zip(grads, (first, second, first), (None, 0, None), strict=True):
        hint = "nothing of a call may be kept outside of its ctx"
        assert_matches(gradient, accumulate, cotangent, ids, 5, padding, what="a gradient", hint=hint)


@pytest.mark.gradients
def test_large_gradients_and_many_repeats(candidate, rng):
    """Gradients of 1e30 and thousands of repeats add up."""
    ids = rng.integers(0, 3, 5000)
    for dtype in BOTH:
        for scale in (1e30, 1e-30):
            grad = scale * rng.normal(5000, 2, dtype=dtype)
            result = candidate(call_backward, grad, ids, 3)
            assert_matches(result, accumulate, grad, ids, 3, what="the gradient of weight")


def call_forward_and_backward(m, ids, weight, cotangent):
    leaf = weight.requires_grad_()
    return torch.autograd.grad(m.embedding(ids, leaf), leaf, cotangent)[0]


def check_throughput(gradient, ids, weight, cotangent):
    # Each row of the gradient is a sum of about 24 float32 numbers, hardly ever of 100: 100 roundings of 6e-8 are less.
    expected = torch.zeros(len(weight), weight.shape[1], dtype=torch.float64)
    expected.index_add_(0, ids.flatten(), cotangent.reshape(-1, weight.shape[1]).double())
    assert_close(gradient, expected, tolerance=2e-5, what="the gradient of weight", dtype=weight.dtype)


@pytest.mark.throughput
@pytest.mark.points(4)
def test_throughput(throughput):
    """Fast enough to read and add rows: no product with one-hot vectors, and no Python loop."""
    throughput(
        call=call_forward_and_backward,
        inputs=lambda rng: (rng.integers(0, 512, 24, 512), rng.normal(512, 64), rng.normal(24, 512, 64)),
        check=check_throughput,
        naive="accept_one_hot_product",
    )


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """On CUDA tensors every result is computed on the device."""
    ids, weight, offsets = bagged(rng)
    check_cuda(candidate, call, (ids, weight, 1), look_up)
    check_cuda(candidate, call_backward, (rng.normal(len(ids), 3), ids, 7, 1), accumulate)
    for mode in MODES:
        check_cuda(candidate, call_bag, (ids, weight, offsets, mode, 1), bags)
    check_cuda(candidate, call_scores, (rng.normal(4, 3), weight), scores)
