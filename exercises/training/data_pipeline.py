"""A data pipeline for sequences

Interview question: "Write the input pipeline for sequences of different lengths. How do you batch them without
wasting half the batch on padding, shuffle so that a run can be repeated, and split an epoch over workers without
losing or repeating an example?"

Build `SequenceDataset`, `pad_collate` and `BucketBatchSampler`, the three parts that
`torch.utils.data.DataLoader(dataset, batch_sampler=sampler, collate_fn=pad_collate)` puts together.

As in every `tensor_op` exercise: float32 and float64 inputs give a result of the same dtype and device, inputs may
have any strides and sizes of one, values may be extreme, and inputs are left untouched.

Limits: not `torch.nn.utils.rnn.pad_sequence` or `torch.nn.utils.rnn.pad_packed_sequence`; each call within 2 s;
throughput of `pad_collate`: no Python loop over time steps (the step lies between such a loop and a solution that
copies whole sequences).

The tests look at
- numerics: padded values, lengths, mask and targets for tokens and for features of any shape, pad values that also
  occur in the data, rounded lengths, empty sequences, and that a batch is a copy;
- behaviour: the dataset as a sequence, what is in a batch, what a shuffle changes and what it depends on, shards,
  `len`, refused arguments, and the three parts together in a DataLoader;
- throughput as above.
"""

from collections.abc import Iterator, Sequence

import torch
from torch.utils.data import Dataset, Sampler


class SequenceDataset(Dataset):
    """Sequences with one target each.

    | argument | type | meaning |
    |---|---|---|
    | sequences | list of tensors (time, …) | time may differ and may be 0 |
    | targets | list of int, or int64 tensor (n,) | one per sequence |

    `len(dataset)` is n. `dataset[index]` is the pair (sequence, target), target an int; as in a list, negative
    indices count from the end, and an index beyond either end raises IndexError. `dataset.lengths` is the list of
    times, ints.

    Raises:
        ValueError: different numbers of sequences and targets.
    """

    def __init__(self, sequences: Sequence[torch.Tensor], targets: Sequence[int] | torch.Tensor) -> None:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        raise NotImplementedError


def pad_collate(
    items: Sequence[tuple[torch.Tensor, int]], *, pad_value: float = 0, multiple_of: int = 1
) -> dict[str, torch.Tensor]:
    """Makes a batch of (sequence, target) pairs, each sequence followed by padding.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | items | list of ((time, …), int) | any | all sequences with the dtype and the dimensions after time of the first |
    | pad_value | | number | what padding holds; may be infinite or NaN, and may occur in the sequences as well |
    | multiple_of | | int | at least 1; see time |
    | result["inputs"] | (batch, time, …) | as the sequences | time: the longest length, rounded up to a multiple of this |
    | result["lengths"] | (batch,) | int64 | before padding |
    | result["mask"] | (batch, time) | bool | True where a sequence is, False where padding is |
    | result["targets"] | (batch,) | int64 | |

    The batch is a copy: writing into it leaves the sequences alone. All tensors are on the sequences' device.

    Raises:
        ValueError: no items, sequences that differ in dtype or in dimensions after time, multiple_of below 1.
    """
    raise NotImplementedError


class BucketBatchSampler(Sampler[list[int]]):
    """Batches of indices (lists of ints) of sequences of similar length.

    | argument | type | meaning |
    |---|---|---|
    | lengths | list of int, or int64 tensor (n,) | length of each sequence, at least 0 |
    | batch_size | int | at least 1 |
    | boundaries | list of int | strictly ascending; the upper ends of the buckets |
    | shuffle | bool | see below |
    | drop_last | bool | leaves out the smaller last batch of each bucket |
    | seed | int | at least 0 |
    | worker, num_workers | int, int | which shard this is, 0 … num_workers - 1, and of how many |

    Bucket 0 holds lengths up to and including boundaries[0], bucket 1 longer ones up to and including boundaries[1]
    and so on, a last bucket whatever is longer than all boundaries; without boundaries there is one bucket.

    A batch holds indices of one bucket only. All batches of a bucket are full, but for one that holds the remainder;
    each index is in exactly one batch of an epoch (in none, if `drop_last` leaves its batch out).

    Without shuffle, batches come bucket by bucket, and in a bucket indices ascend. With shuffle, the indices within
    each bucket are shuffled, independently of other buckets, before they are cut into batches, and the batches of all
    buckets, smaller ones included, are shuffled among each other: both anew for each epoch, with every order possible.

    With the other arguments the same, the order depends on (seed, epoch) and on nothing else: not on other iterations,
    finished or still running, not on the process, not on global random state (which is left as it is, by all methods),
    not on the worker. Different pairs give different orders: epoch 1 of seed 0 is not epoch 0 of seed 1, either.

    Batch number i of the epoch belongs to worker i mod num_workers. Iterating gives the batches of this worker only,
    in order; `len(sampler)` is their number, the same for all epochs.

    Raises:
        ValueError: an argument out of the range above.
    """

    def __init__(
        self,
        lengths: Sequence[int] | torch.Tensor,
        batch_size: int,
        *,
        boundaries: Sequence[int] = (),
        shuffle: bool = True,
        drop_last: bool = False,
        seed: int = 0,
        worker: int = 0,
        num_workers: int = 1,
    ) -> None:
        raise NotImplementedError

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch, 0 at first, that all iterations show until it is called again.

        Raises:
            ValueError: epoch is negative.
        """
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[list[int]]:
        raise NotImplementedError
