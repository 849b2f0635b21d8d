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

### BEGIN REFERENCE ONLY
import numpy as np

### END REFERENCE ONLY
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
        ### BEGIN SOLUTION
        if len(sequences) != len(targets):
            raise ValueError(f"targets must be as many as sequences ({len(sequences)}), not {len(targets)}")
        self.sequences = list(sequences)
        self.targets = [int(target) for target in targets]
        self.lengths = [len(sequence) for sequence in self.sequences]
        ### END SOLUTION

    def __len__(self) -> int:
        ### BEGIN SOLUTION
        return len(self.sequences)
        ### END SOLUTION

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        ### BEGIN SOLUTION
        return self.sequences[index], self.targets[index]
        ### END SOLUTION


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
    ### BEGIN SOLUTION
    if multiple_of < 1:
        raise ValueError(f"multiple_of must be at least 1, not {multiple_of}")
    if not items:
        raise ValueError("items must hold at least one pair")
    sequences, targets = [sequence for sequence, _ in items], [target for _, target in items]
    first = sequences[0]  # mutants: equivalent: all must be alike, so any will do
    for sequence in sequences:
        if sequence.dtype != first.dtype or sequence.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"items must agree in dtype and in dimensions after time: {first.dtype} (time, *{tuple(first.shape[1:])}) "
                f"and {sequence.dtype} (time, *{tuple(sequence.shape[1:])})"
            )
    lengths = torch.tensor([len(sequence) for sequence in sequences], device=first.device)
    time = -(-int(lengths.max()) // multiple_of) * multiple_of
    mask = torch.arange(time, device=first.device) < lengths[:, None]
    inputs = first.new_full((len(sequences), time, *first.shape[1:]), pad_value)
    # A boolean index runs row by row, which is the order in which cat puts the sequences one after the other.
    inputs[mask] = torch.cat(sequences)
    return {
        "inputs": inputs,
        "lengths": lengths,
        "mask": mask,
        "targets": torch.tensor(targets, dtype=torch.int64, device=first.device),
    }
    ### END SOLUTION


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
        ### BEGIN SOLUTION
        lengths, edges = np.asarray(lengths, dtype=np.int64), np.asarray(boundaries, dtype=np.int64)
        if (lengths < 0).any():
            raise ValueError("lengths must not be negative")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if (np.diff(edges) <= 0).any():
            raise ValueError(f"boundaries must ascend strictly, not {list(boundaries)}")
        if seed < 0:
            raise ValueError(f"seed must not be negative, not {seed}")
        if not 0 <= worker < num_workers:
            raise ValueError(f"worker must be 0 … num_workers - 1 = {num_workers - 1}, not {worker}")
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last
        self.seed, self.epoch, self.worker, self.num_workers = seed, 0, worker, num_workers
        bucket = np.searchsorted(edges, lengths, side="left")
        self.buckets = [np.flatnonzero(bucket == number) for number in np.unique(bucket)]
        ### END SOLUTION

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch, 0 at first, that all iterations show until it is called again.

        Raises:
            ValueError: epoch is negative.
        """
        ### BEGIN SOLUTION
        if epoch < 0:
            raise ValueError(f"epoch must not be negative, not {epoch}")
        self.epoch = epoch
        ### END SOLUTION

    def __len__(self) -> int:
        ### BEGIN SOLUTION
        kept = 0 if self.drop_last else self.batch_size - 1
        total = sum((len(members) + kept) // self.batch_size for members in self.buckets)
        return len(range(self.worker, total, self.num_workers))
        ### END SOLUTION

    def __iter__(self) -> Iterator[list[int]]:
        ### BEGIN SOLUTION
        # Every worker draws the whole epoch from the same stream and keeps its share: that is what makes shards disjoint.
        rng = np.random.default_rng((self.epoch, self.seed))
        batches = []
        for members in self.buckets:
            members = rng.permutation(members) if self.shuffle else members
            end = len(members) - (len(members) % self.batch_size if self.drop_last else 0)
            batches += [members[start : start + self.batch_size] for start in range(0, end, self.batch_size)]
        order = rng.permutation(len(batches)) if self.shuffle else range(len(batches))
        for number in order[self.worker :: self.num_workers]:
            yield batches[number].tolist()
        ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Padding costs compute in proportion to the longest sequence of a batch. Buckets bound that waste; sorting the whole
data set would bound it best and destroy the shuffle: the same neighbours in every batch, short examples first.
Shuffling inside buckets, cutting, and then shuffling the batches keeps both. Batches left in the order of the buckets
are a hidden curriculum, and the last batches of an epoch, all long, pull the weights their way.

The mask comes from the lengths. Comparing inputs with the pad value works until a real token or a real 0.0 equals it,
and then loses data silently.

Shuffles must differ between epochs and agree between processes. So the order is a function of (seed, epoch), not the
state of a generator: a resumed run jumps to epoch 7 without replaying six, and workers that have iterated a different
number of times still agree. PyTorch's DistributedSampler seeds with seed + epoch, which makes runs with neighbouring
seeds replay each other's epochs: averages over such seeds are less independent than they look. A pair of integers as
the seed avoids it.

Workers: each must draw the same epoch and keep its own share. A seed per worker, or a shuffle after the split, gives
shards that overlap and miss examples, while every count looks right. An IterableDataset under
DataLoader(num_workers=n) is the well-known case: every worker process holds a full copy and yields everything, n
times in all, unless it asks get_worker_info() for its number. Shares of batches // num_workers lose the tail.
Round-robin keeps it, at the price of shards that differ by one batch; distributed training with a collective in each
step needs equal numbers, hence pads or drops, on purpose and stated.

The remainder of each bucket makes small batches: with many buckets and few examples they become frequent, and a loss
that is a mean per batch weighs their examples more. drop_last is for training with batch statistics, never for
evaluation.
"""
### END REFERENCE ONLY
