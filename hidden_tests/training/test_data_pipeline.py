import itertools
import random

import numpy
import pytest
import torch

from graders.testing import assert_close, assert_refuses, assert_same, assert_true, oracle, probe_helper
from hidden_tests.battery import check_cuda, strided

pytestmark = pytest.mark.numerics


@oracle
def padded(sequences, pad_value=0, multiple_of=1):
    """The batch, number by number, with the mask beside it."""
    time = max(len(sequence) for sequence in sequences)
    while time % multiple_of:
        time += 1
    inputs = torch.empty(len(sequences), time, *sequences[0].shape[1:], dtype=sequences[0].dtype)
    mask = torch.empty(len(sequences), time, dtype=torch.bool)
    for row, sequence in enumerate(sequences):
        for step in range(time):
            mask[row, step] = step < len(sequence)
            inputs[row, step] = sequence[step] if step < len(sequence) else pad_value
    return inputs, mask


@oracle
def epochs_of(buckets, batch_size, drop_last):
    """Every epoch that a shuffle may give."""
    found = set()
    for orders in itertools.product(*map(itertools.permutations, buckets)):
        batches = [order[start : start + batch_size] for order in orders for start in range(0, len(order), batch_size)]
        kept = [batch for batch in batches if len(batch) == batch_size or not drop_last]
        found.update(itertools.permutations(kept))
    return found


@probe_helper
def collate(m, sequences, targets, options=None):
    """The batch, and the sequences as they are after the batch has been overwritten."""
    result = m.pad_collate(list(zip(sequences, targets, strict=True)), **(options or {}))
    batch = {key: value.clone() for key, value in result.items()}
    result["inputs"].fill_(9)
    return batch, list(sequences)


@probe_helper
def batches_of(m, lengths, batch_size, options, epochs=(0,)):
    """For each epoch the list of batches."""
    sampler = m.BucketBatchSampler(lengths, batch_size, **options)
    found = []
    for epoch in epochs:
        sampler.set_epoch(epoch)
        found.append([[int(index) for index in batch] for batch in sampler])
    return found


@probe_helper
def elsewhere(m, lengths, batch_size, options, epochs):
    """The same where texts and bytes hash to other numbers, as they do in another process, and all else to the same."""

    def hash_there(value):
        parts = value if isinstance(value, tuple) else (value,)
        return hash((value, "there")) if any(isinstance(part, (str, bytes)) for part in parts) else hash(value)

    if not hasattr(m, "hash"):
        m.hash = hash_there
    try:
        return batches_of(m, lengths, batch_size, options, epochs)
    finally:
        if m.hash is hash_there:
            del m.hash


@probe_helper
def random_states():
    """Of the three global generators."""
    _, key, *rest = numpy.random.get_state()
    return torch.random.get_rng_state().tolist(), random.getstate(), key.tolist(), rest


def check_batch(candidate, sequences, targets, hint="", **options):
    batch, _ = candidate(collate, sequences, targets, options)
    inputs, mask = padded(sequences, **options)
    expected = {"inputs": inputs, "mask": mask, "lengths": torch.tensor([len(s) for s in sequences])}
    expected["targets"] = torch.tensor([int(t) for t in targets])
    assert_true(set(batch) == set(expected), "the batch does not have the four entries of the table")
    for name, value in expected.items():
        assert_close(batch[name], value, tolerance=0.0, what=f"batch['{name}']", hint=hint, dtype=value.dtype)


def some_lengths(rng, count=101, longest=20):
    """Lengths that meet every boundary used here, one below it and one above it."""
    return [4, 5, 6, 9, 10, 11, 0, longest, *rng.integers(0, longest + 1, count - 8).tolist()]


def bucket_of(length, boundaries):
    return sum(length > boundary for boundary in boundaries)


def sequences_of(rng, *lengths, features=(), dtype=torch.float32):
    return [rng.normal(length, *features, dtype=dtype) for length in lengths]


@pytest.mark.points(2)
def test_padded_values(candidate, rng):
    """Sequences come first in their rows, padding after them, with lengths, mask and targets to match."""
    hint = "time is that of the longest sequence, wherever in the batch it is; True is where a sequence is"
    tokens = [rng.integers(0, 50, length) for length in (3, 7, 1, 5)]
    check_batch(candidate, tokens, [4, 0, 2, -1], hint)
    for features in ((), (3,), (2, 4)):
        check_batch(candidate, sequences_of(rng, 2, 6, 6, 4, features=features), [1, 2, 3, 4], hint)


def test_pad_value(candidate, rng):
    """Padding holds pad_value, and numbers of a sequence that equal it remain part of the sequence."""
    hint = "what tells padding from data is the length, not the value"
    for value in (0, 7):
        tokens = [torch.tensor([value, 3, value]), torch.tensor([5, value]), torch.tensor([value])]
        check_batch(candidate, tokens, [0, 1, 2], hint, pad_value=value)
    features = sequences_of(rng, 4, 2, features=(3,))
    features[0][3] = -1.5
    check_batch(candidate, features, [0, 1], hint, pad_value=-1.5)
    for value in (torch.inf, -torch.inf, torch.nan):
        check_batch(candidate, features, [0, 1], "no arithmetic with pad_value: 0 · ∞ is NaN", pad_value=value)


def test_rounded_lengths(candidate, rng):
    """time is rounded up to a multiple of multiple_of, and not where it already is one."""
    for longest in (7, 8, 9):
        check_batch(candidate, sequences_of(rng, 2, longest, 5), [0, 1, 2], multiple_of=4)
    check_batch(candidate, sequences_of(rng, 3, 5, features=(2,)), [0, 1], multiple_of=16, pad_value=2)


def test_sizes_of_one_and_empty_sequences(candidate, rng):
    """A batch of one, a time of one and sequences without a single step are batches like any other."""
    for lengths in ((1,), (5,), (0, 3), (2, 0, 1), (0, 0), (0,)):
        check_batch(candidate, sequences_of(rng, *lengths, features=(2,)), list(range(len(lengths))))
    check_batch(candidate, sequences_of(rng, 0, 0), [0, 1], multiple_of=8)


def test_long_sequences(candidate, rng):
    """A sequence of tens of thousands of steps is padded and counted like any other."""
    long, short = sequences_of(rng, 33_000, 2)
    batch, _ = candidate(collate, [short, long], [0, 1], deadline=10)
    hint = "which numbers does the dtype of the lengths hold?"
    assert_close(batch["lengths"], torch.tensor([2, 33_000]), tolerance=0.0, what="batch['lengths']", hint=hint)
    expected = torch.stack([torch.cat([short, torch.zeros(32_998)]), long])
    assert_close(batch["inputs"], expected, tolerance=0.0, what="batch['inputs']", hint=hint)


def test_dtypes_and_strides(candidate, rng):
    """The batch has the dtype of the sequences, and their strides do not matter."""
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.int32, torch.uint8):
        sequences = [(40 * rng.uniform(length, 3)).to(dtype) for length in (4, 1, 6)]
        check_batch(candidate, sequences, [0, 1, 2], "keep the dtype of the input", pad_value=1)
    sequences = sequences_of(rng, 4, 1, 6, features=(3,))
    batch, _ = candidate(collate, [strided(sequence) for sequence in sequences], [0, 1, 2])
    assert_close(batch["inputs"], padded(sequences)[0], tolerance=0.0, what="the batch of strided sequences")
    # Odd numbers above 2^53, which no float64 holds.
    numbers = [2**53 + 1 + 2 * rng.integers(0, 2**40, length) for length in (4, 2)]
    inputs, expected = candidate(collate, numbers, [0, 1])[0]["inputs"], padded(numbers)[0]
    assert_close(inputs, expected, tolerance=0.0, what="the batch of large integers", dtype=torch.int64)
    assert_true(torch.equal(inputs, expected), "large integers are rounded", "keep the dtype of the input all the way")


def test_extreme_values(candidate):
    """Infinities, NaN and the largest numbers pass through unchanged."""
    loud = torch.tensor([torch.inf, -torch.inf, torch.nan, 3e38, -3e38, 1e-45])
    batch, _ = candidate(collate, [loud, loud[:2]], [0, 1], {"pad_value": 0.5})
    expected = torch.stack([loud, torch.tensor([torch.inf, -torch.inf, 0.5, 0.5, 0.5, 0.5])])
    assert_close(batch["inputs"], expected, tolerance=0.0, what="the batch", hint="copy, do not multiply with a mask")


def test_batch_is_a_copy(candidate, rng):
    """Writing into the batch leaves the sequences as they were."""
    for lengths in ((5,), (4, 4), (3, 6)):
        sequences = sequences_of(rng, *lengths, features=(2,))
        _, after = candidate(collate, sequences, list(range(len(lengths))))
        assert_same(after, sequences, "a sequence")


@pytest.mark.behaviour
def test_dataset(candidate, rng):
    """The dataset is a sequence of (sequence, target) pairs: len, items from either end, IndexError beyond, iteration."""
    sequences = sequences_of(rng, 3, 0, 5, features=(2,))
    for targets in ([4, 2, 9], torch.tensor([4, 2, 9])):

        def probe(m, sequences, targets):
            dataset = m.SequenceDataset(sequences, targets)
            beyond = []
            for index in (3, -4):
                try:
                    dataset[index]
                except IndexError:
                    beyond.append(index)
            items = [dataset[index] for index in (0, 2, -1, -3)]
            return len(dataset), items, beyond, dataset.lengths, list(itertools.islice(iter(dataset), 10))

        size, items, beyond, lengths, everything = candidate(probe, sequences, targets)
        ints = isinstance(lengths, list) and all(type(length) is int for length in lengths)
        assert_true(ints, "dataset.lengths is not a list of ints", "a tensor of one number is no int")
        assert_true(size == 3 and lengths == [3, 0, 5], "len or lengths are wrong")
        assert_true(beyond == [3, -4], "an index beyond the end does not raise IndexError")
        assert_true(len(everything) == 3, "iterating does not give each pair once")
        for (sequence, target), index in zip([*items, *everything], (0, 2, 2, 0, 0, 1, 2), strict=True):
            assert_close(sequence, sequences[index], tolerance=0.0, what="the sequence of an item")
            assert_true(type(target) is int and target == [4, 2, 9][index], "a target is wrong or no int")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_every_index_once(candidate, rng):
    """Each index is in exactly one batch of an epoch, in no batch of more than batch_size, shuffled or not."""
    lengths = some_lengths(rng)
    for shuffle in (True, False):
        for batch_size in (1, 8, 101, 500):
            options = {"boundaries": [5, 10], "shuffle": shuffle, "seed": rng.seed()}
            batches = candidate(batches_of, lengths, batch_size, options)[0]
            found = sorted(index for batch in batches for index in batch)
            assert_true(found == list(range(101)), "an epoch misses or repeats indices", "what of the remainder?")
            assert_true(all(0 < len(batch) <= batch_size for batch in batches), "a batch is empty or too large")


@pytest.mark.behaviour
def test_batches_are_lists_of_ints(candidate, rng):
    """Every batch is a list of ints, shuffled or not."""
    lengths = some_lengths(rng)
    for shuffle in (True, False):
        batches = candidate(lambda m, shuffle: list(m.BucketBatchSampler(lengths, 8, shuffle=shuffle)), shuffle)
        ints = all(isinstance(batch, list) and all(type(index) is int for index in batch) for batch in batches)
        assert_true(ints, "a batch is not a list of ints", "an array or tensor is no list, and what it holds no ints")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_buckets(candidate, rng):
    """A batch holds one bucket only, a boundary belongs to the bucket below it, and one batch per bucket at most is not full."""
    lengths = some_lengths(rng)
    for boundaries in ([5, 10], [4], [], [3, 4, 5, 6, 30]):
        options = {"boundaries": boundaries, "seed": rng.seed()}
        for given in (lengths, torch.tensor(lengths)):
            batches = candidate(batches_of, given, 8, options)[0]
            partial = []
            for batch in batches:
                buckets = {bucket_of(lengths[index], boundaries) for index in batch}
                hint = "does a length equal to a boundary belong below it or above?"
                assert_true(len(buckets) == 1, "a batch mixes buckets", hint)
                partial += [*buckets] if len(batch) < 8 else []
            assert_true(len(partial) == len(set(partial)), "a bucket has more than one batch that is not full")


@pytest.mark.behaviour
def test_without_shuffle(candidate, rng):
    """Without shuffle, batches come bucket by bucket with ascending indices, alike in every epoch."""
    lengths, boundaries = some_lengths(rng), [5, 10]
    expected = []
    for bucket in range(3):
        members = [index for index, length in enumerate(lengths) if bucket_of(length, boundaries) == bucket]
        expected += [members[start : start + 6] for start in range(0, len(members), 6)]
    options = {"boundaries": boundaries, "shuffle": False, "seed": rng.seed()}
    for batches in candidate(batches_of, lengths, 6, options, (0, 3)):
        assert_true(batches == expected, "batches or their order are wrong")


@pytest.mark.behaviour
def test_drop_last(candidate, rng):
    """drop_last leaves out the smaller last batch of each bucket, and nothing else."""
    lengths, boundaries = some_lengths(rng), [5, 10]
    for shuffle in (True, False):
        options = {"boundaries": boundaries, "drop_last": True, "shuffle": shuffle, "seed": rng.seed()}
        for batch_size in (1, 7, 200):
            batches = candidate(batches_of, lengths, batch_size, options)[0]
            assert_true(all(len(batch) == batch_size for batch in batches), "a batch is not full")
            kept = [index for batch in batches for index in batch]
            assert_true(len(kept) == len(set(kept)), "an index comes twice")
            for bucket in range(3):
                size = sum(bucket_of(length, boundaries) == bucket for length in lengths)
                found = sum(bucket_of(lengths[index], boundaries) == bucket for index in kept)
                assert_true(found == size // batch_size * batch_size, "a bucket loses too much or too little")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_epochs_differ(candidate, rng):
    """Each epoch groups the indices anew, and its batches come in an order that mixes the buckets."""
    lengths = [1] * 50 + [7] * 50 + [15] * 50
    options = {"boundaries": [5, 10], "seed": rng.seed()}
    epochs = candidate(batches_of, lengths, 5, options, (0, 1, 2, 3))
    for first in range(4):
        for second in range(first):
            groups = [{frozenset(batch) for batch in epochs[epoch]} for epoch in (first, second)]
            # 50 indices fall into the same ten groups of five with probability 10! · 5!¹⁰ / 50!: less than 1e-36.
            assert_true(groups[0] != groups[1], "two epochs have the same batches", "shuffle indices before cutting")
        buckets = [bucket_of(lengths[batch[0]], [5, 10]) for batch in epochs[first]]
        changes = sum(one != other for one, other in itertools.pairwise(buckets))
        # A random order of 30 batches changes bucket 20 times on average; five times or fewer has probability below 1e-8.
        hint = "shuffle the batches among each other, too"
        assert_true(changes > 5, "batches come bucket by bucket", hint, f"{changes} changes")


@pytest.mark.behaviour
def test_every_order_is_possible(candidate, rng):
    """Over many epochs an index comes in every position and shares its batch with every other index of its bucket."""
    found = candidate(batches_of, [3] * 8, 2, {"seed": rng.seed()}, list(range(200)))
    places, partners = set(), set()
    for epoch in found:
        for number, batch in enumerate(epoch):
            if 0 in batch:
                places.add(2 * number + batch.index(0))
                partners.update(batch)
    # A given place of eight is missed in 200 epochs with probability (7/8)^200 < 3e-12, a given partner with (6/7)^200 < 5e-14.
    assert_true(places == set(range(8)), "some position never comes up")
    assert_true(partners == set(range(8)), "some indices never meet")


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_every_small_epoch_comes_up(candidate, rng):
    """In many small epochs every order comes up: remainders, buckets and the order of batches are each drawn anew."""
    four = {"boundaries": [5, 10, 15]}
    for what, hint, buckets, batch_size, options in (
        ("three indices, the third over", "who is left over, and when does it come?", [[0, 1, 2]], 2, {}),
        ("three indices, one dropped", "is the same one always dropped?", [[0, 1, 2]], 2, {"drop_last": True}),
        ("two buckets of one batch each", "does each bucket draw an order of its own?", [[0, 1], [2, 3]], 2, four),
        ("four buckets of one index each", "are the batches shuffled anew?", [[0], [1], [2], [3]], 1, four),
    ):
        lengths = [5 * bucket + 1 for bucket, members in enumerate(buckets) for _ in members]
        epochs = candidate(batches_of, lengths, batch_size, {**options, "seed": rng.seed()}, list(range(500)))
        found = {tuple(map(tuple, batches)) for batches in epochs}
        possible = epochs_of(buckets, batch_size, options.get("drop_last", False))
        assert_true(found <= possible, f"an epoch of {what} has other batches than it should")
        # One of the 6, 12, 8 and 24 orders is missed in 500 epochs with a probability below Σ n · (1 - 1/n)^500 < 2e-8.
        assert_true(found == possible, f"some orders of {what} never come up", hint, f"{len(found)} of {len(possible)}")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_order_depends_on_seed_and_epoch_alone(candidate, rng):
    """The same seed and epoch give the same order, whatever else is iterated; global random state is neither used nor changed."""
    lengths, options = some_lengths(rng), {"boundaries": [5, 10], "seed": rng.seed()}
    straight = candidate(batches_of, lengths, 8, options, (0, 1, 2, 3))
    hint = "the order is a function of seed and epoch, not the state of a generator"
    jumped = candidate(batches_of, lengths, 8, options, (3, 1, 1))
    assert_true(jumped == [straight[3], straight[1], straight[1]], "earlier iterations change the order", hint)

    def probe(m, lengths):
        torch.manual_seed(0)
        random.seed(0)
        numpy.random.seed(0)
        before = random_states()
        sampler = m.BucketBatchSampler(lengths, 8, **options)
        slow = iter(sampler)
        started = [next(slow)]
        rounds = [[[int(index) for index in batch] for batch in sampler] for _ in range(2)]
        rounds.append([[int(index) for index in batch] for batch in [*started, *slow]])
        sampler.set_epoch(2)
        rounds += [[[int(index) for index in batch] for batch in sampler] for _ in range(2)]
        return rounds, before, random_states()

    (first, second, slow, *later), before, after = candidate(probe, lengths)
    assert_true(first == straight[0], "epoch 0 is not the first, or an unfinished iteration changes the next", hint)
    assert_true(slow == straight[0], "an iteration is disturbed by another that begins before its end", hint)
    same = second == straight[0] and later == [straight[2]] * 2
    assert_true(same, "iterating again shows another epoch", "what may choose the epoch?")
    assert_true(before == after, "making or using a sampler moves the global random state", hint)


@pytest.mark.behaviour
def test_order_in_another_process(candidate, rng):
    """Another process gets the same order from the same seed and epoch."""
    lengths, options = some_lengths(rng), {"boundaries": [5, 10], "seed": rng.seed()}
    here, there = (candidate(way, lengths, 8, options, (0, 1)) for way in (batches_of, elsewhere))
    assert_true(here == there, "the order depends on the process", "what differs from one run of Python to the next?")


@pytest.mark.behaviour
def test_seeds_and_epochs_do_not_overlap(candidate, rng):
    """Different (seed, epoch) pairs give different orders, also where their sums or products agree."""
    lengths, factors = [2] * 40, (10, 100, 10_000, 65_536, 1_000_000)
    found = []
    for seed in (0, 1, 2, 3, 1000, *factors):
        epochs = (0, 1, 2, 3, 1000) if seed else (0, 1, 2, 3, 1000, *factors)
        found += candidate(batches_of, lengths, 5, {"seed": seed}, epochs)
    # 40! orders: chance has no part in this.
    distinct = {tuple(map(tuple, batches)) for batches in found}
    assert_true(
        len(distinct) == len(found), "a seed repeats an epoch of another seed", "how are seed and epoch combined?"
    )


@pytest.mark.behaviour
@pytest.mark.points(3)
def test_shards(candidate, rng):
    """Worker w of W gets batches w, w + W, w + 2W, … of the epoch that all share: none twice, none lost."""
    lengths = some_lengths(rng)
    for shuffle, drop_last, workers in (
        (True, False, 2),
        (True, False, 5),
        (False, False, 3),
        (True, True, 4),
        (True, False, 60),
    ):
        options = {"boundaries": [5, 10], "shuffle": shuffle, "drop_last": drop_last, "seed": rng.seed()}
        whole = candidate(batches_of, lengths, 8, options, (0, 2))
        for worker in range(0, workers, max(1, workers // 5)):
            shard = {**options, "worker": worker, "num_workers": workers}
            found = candidate(batches_of, lengths, 8, shard, (0, 2))
            expected = [epoch[worker::workers] for epoch in whole]
            hint = "does every worker draw the same epoch, and does the last round reach those that it should?"
            assert_true(found == expected, "a worker has batches that are not its own, or misses some", hint)


@pytest.mark.behaviour
def test_len(candidate, rng):
    """len(sampler) is the number of batches that iterating gives, for this worker and every epoch."""
    lengths = some_lengths(rng)

    def probe(m, settings):
        counts = []
        for batch_size, options in settings:
            sampler = m.BucketBatchSampler(lengths, batch_size, **options)
            sampler.set_epoch(1)
            counts.append((len(sampler), len(list(sampler))))
        empty = m.BucketBatchSampler([], 4)
        return [*counts, (len(empty), len(list(empty)))]

    settings = [
        (batch_size, {"boundaries": [5, 10], "drop_last": drop_last, "worker": worker, "num_workers": workers})
        for batch_size in (1, 6, 8, 150)
        for drop_last in (True, False)
        for worker, workers in ((0, 1), (0, 3), (2, 3), (6, 7))
    ]
    counts = candidate(probe, settings)
    hint = "count per bucket, then per worker"
    assert_true(all(claimed == actual for claimed, actual in counts), "len is not the number of batches", hint)
    assert_true(counts[-1] == (0, 0), "no lengths should give no batches")


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_refuses_bad_arguments(candidate, rng):
    """Arguments out of range and items that do not fit together raise ValueError."""
    one, two = sequences_of(rng, 3, 4, features=(2,))
    assert_refuses(
        candidate,
        lambda m, sequences, targets: len(m.SequenceDataset(sequences, targets)),
        valid=([one, two], [0, 1]),
        refused=[(([one, two], [0]), ValueError, "fewer targets"), (([one], [0, 1]), ValueError, "more targets")],
    )
    assert_refuses(
        candidate,
        lambda m, items, multiple: m.pad_collate(items, multiple_of=multiple),
        valid=([(one, 0), (two, 1)], 1),
        refused=[
            (([], 1), ValueError, "a batch of nothing"),
            (([(one, 0), (two.double(), 1)], 1), ValueError, "a second dtype"),
            (([(one, 0), (two[:, :1], 1)], 1), ValueError, "a second number of features"),
            (([(one, 0), (two[:, 0], 1)], 1), ValueError, "a second number of dimensions"),
            (([(one, 0), (two, 1)], 0), ValueError, "multiple_of 0"),
        ],
    )

    def sampler(m, lengths, batch_size, boundaries, seed, worker, num_workers, epoch):
        options = {"boundaries": boundaries, "seed": seed, "worker": worker, "num_workers": num_workers}
        result = m.BucketBatchSampler(lengths, batch_size, **options)
        result.set_epoch(epoch)
        return len(result)

    assert_refuses(
        candidate,
        sampler,
        valid=([0, 1, 2], 1, [1, 2], 0, 1, 2, 0),
        refused=[
            (([0, -1, 2], 1, [1, 2], 0, 1, 2, 0), ValueError, "a negative length"),
            (([0, 1, 2], 0, [1, 2], 0, 1, 2, 0), ValueError, "batch_size 0"),
            (([0, 1, 2], 1, [2, 1], 0, 1, 2, 0), ValueError, "descending boundaries"),
            (([0, 1, 2], 1, [1, 1], 0, 1, 2, 0), ValueError, "a boundary that comes twice"),
            (([0, 1, 2], 1, [1, 2], -1, 1, 2, 0), ValueError, "a negative seed"),
            (([0, 1, 2], 1, [1, 2], 0, 2, 2, 0), ValueError, "a worker beyond the last"),
            (([0, 1, 2], 1, [1, 2], 0, -1, 2, 0), ValueError, "a negative worker"),
            (([0, 1, 2], 1, [1, 2], 0, 0, 0, 0), ValueError, "no workers"),
            (([0, 1, 2], 1, [1, 2], 0, 1, 2, -1), ValueError, "a negative epoch"),
        ],
    )


@pytest.mark.behaviour
@pytest.mark.points(2)
def test_in_a_data_loader(candidate, rng):
    """Dataset, sampler and collate work together in a DataLoader: every example once, with its own target and little padding."""
    lengths = some_lengths(rng)
    sequences = [torch.full((length, 2), float(index)) for index, length in enumerate(lengths)]

    def probe(m, sequences):
        dataset = m.SequenceDataset(sequences, list(range(len(sequences))))
        sampler = m.BucketBatchSampler(dataset.lengths, 8, boundaries=[5, 10])
        loader = torch.utils.data.DataLoader(dataset, batch_sampler=sampler, collate_fn=m.pad_collate)
        batches = [dict(batch) for batch in loader]
        return len(loader), batches

    size, batches = candidate(probe, sequences)
    assert_true(size == len(batches), "len(loader) is not the number of batches")
    seen = torch.cat([batch["targets"] for batch in batches])
    assert_close(seen.sort().values, torch.arange(101), tolerance=0.0, what="the targets of an epoch, sorted")
    for batch in batches:
        for row, target in enumerate(batch["targets"].tolist()):
            values = batch["inputs"][row][batch["mask"][row]]
            assert_close(values, sequences[target], tolerance=0.0, what="a sequence in its batch")
        spread = {bucket_of(length, [5, 10]) for length in batch["lengths"].tolist()}
        assert_true(len(spread) == 1, "a batch mixes buckets")


@probe_helper
def collate_flat(m, flat, lengths):
    """Only the padded inputs, of sequences that lie one after the other in `flat`."""
    return m.pad_collate([(sequence, 0) for sequence in flat.split(lengths.tolist())])["inputs"]


@pytest.mark.throughput
@pytest.mark.points(3)
def test_throughput(throughput):
    """pad_collate is fast enough to copy whole sequences: no Python loop over time steps."""

    def inputs(rng):
        # Every length from 1 to 96 as often, so that all rounds have the same shapes.
        return rng.normal(768 * 97 // 2, 2), rng.permutation(768) % 96 + 1

    def check(result, flat, lengths):
        mask = torch.arange(96) < lengths[:, None]
        expected = torch.zeros(768, 96, 2)
        expected[mask] = flat
        assert_close(result, expected, tolerance=0.0, what="batch['inputs']")

    throughput(call=collate_flat, inputs=inputs, check=check, naive="accept_step_by_step")


@pytest.mark.cuda
def test_on_cuda(candidate, rng):
    """Sequences on a CUDA device give a batch there."""
    flat, lengths = rng.normal(9, 2), torch.tensor([4, 0, 5])
    expected = padded(flat.split([4, 0, 5]))[0]
    check_cuda(candidate, collate_flat, (flat, lengths), lambda flat, lengths: expected.to(flat.dtype))
