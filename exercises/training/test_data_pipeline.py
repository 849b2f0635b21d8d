"""Public tests: run `pytest exercises/training/test_data_pipeline.py`."""

import torch

from graders.testing import assert_close, assert_refuses, assert_true, probe_helper


@probe_helper
def epoch_of(m, lengths, batch_size, epoch=0, **options):
    sampler = m.BucketBatchSampler(lengths, batch_size, **options)
    sampler.set_epoch(epoch)
    return [list(map(int, batch)) for batch in sampler]


def test_dataset_pairs_sequences_with_targets(candidate):
    """dataset[index] is (sequence, target), and len counts them."""

    def probe(m):
        dataset = m.SequenceDataset([torch.tensor([1, 2]), torch.tensor([3])], [7, 8])
        return len(dataset), dataset[1], list(dataset.lengths)

    size, (sequence, target), lengths = candidate(probe)
    assert_true((size, target, lengths) == (2, 8, [2, 1]), "len, target or lengths are wrong")
    assert_close(sequence, torch.tensor([3]), tolerance=0.0)


def test_collate_pads_at_the_end(candidate):
    """Shorter sequences are followed by pad_value; lengths and mask tell how far they go."""
    items = [(torch.tensor([4, 5, 6]), 1), (torch.tensor([7]), 0)]
    batch = candidate(lambda m: m.pad_collate(items, pad_value=-1))
    assert_close(batch["inputs"], torch.tensor([[4, 5, 6], [7, -1, -1]]), tolerance=0.0, what="inputs")
    assert_close(batch["lengths"], torch.tensor([3, 1]), tolerance=0.0, what="lengths", dtype=torch.int64)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    assert_close(batch["mask"], mask, tolerance=0.0, what="mask", dtype=torch.bool)
    assert_close(batch["targets"], torch.tensor([1, 0]), tolerance=0.0, what="targets", dtype=torch.int64)


def test_batches_in_order(candidate):
    """Without shuffle the batches of each bucket come in order, the smaller last one included."""
    lengths = [2, 9, 1, 5, 7, 3]
    batches = candidate(lambda m: epoch_of(m, lengths, 3, boundaries=[5], shuffle=False))
    assert_true(batches == [[0, 2, 3], [5], [1, 4]], f"got {batches}", "a length of 5 belongs to the bucket up to 5")


def test_shuffles_anew_each_epoch(candidate):
    """Epochs differ, and the same epoch comes again in a new sampler."""
    lengths = [1] * 40
    first, second, again = (candidate(lambda m, e: epoch_of(m, lengths, 4, e, seed=3), e) for e in (0, 1, 0))
    found = sorted(index for batch in first for index in batch)
    assert_true(found == list(range(40)), "an epoch misses or repeats indices")
    assert_true(first != second, "two epochs are alike", "what does set_epoch change?")
    assert_true(first == again, "an epoch cannot be repeated", "derive the order from seed and epoch")


def test_two_workers_share_an_epoch(candidate):
    """The shards of two workers hold each index once."""
    lengths = list(range(35))
    shards = [
        candidate(lambda m, worker: epoch_of(m, lengths, 4, boundaries=[20], worker=worker, num_workers=2), worker)
        for worker in (0, 1)
    ]
    found = sorted(index for shard in shards for batch in shard for index in batch)
    assert_true(found == list(range(35)), "the shards miss or repeat indices", "do all workers draw the same epoch?")


def test_refuses_a_worker_that_does_not_exist(candidate):
    """worker must be 0 … num_workers - 1."""
    assert_refuses(
        candidate,
        lambda m, worker: len(m.BucketBatchSampler([1, 2], 1, worker=worker, num_workers=2)),
        valid=(1,),
        refused=[((2,), ValueError, "worker 2 of 2")],
    )
