"""accept: written from the stub and the public tests alone."""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
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
        self.sequences = list(sequences)
        self.targets = [int(target) for target in (targets.tolist() if isinstance(targets, torch.Tensor) else targets)]
        if len(self.sequences) != len(self.targets):
            raise ValueError(f"{len(self.sequences)} sequences, but {len(self.targets)} targets")
        self.lengths = [len(sequence) for sequence in self.sequences]

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.sequences[index], self.targets[index]


def pad_collate(
    items: Sequence[tuple[torch.Tensor, int]], *, pad_value: float = 0, multiple_of: int = 1
) -> dict[str, torch.Tensor]:
    """Makes a batch of (sequence, target) pairs, each sequence followed by padding.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | items | list of ((time, …), int) | any | all sequences with the dtype and the dimensions after time of the first |
    | pad_value | | number | what padding holds; it may occur in the sequences as well |
    | multiple_of | | int | at least 1; see time |
    | result["inputs"] | (batch, time, …) | as the sequences | time: the longest length, rounded up to a multiple of this |
    | result["lengths"] | (batch,) | int64 | before padding |
    | result["mask"] | (batch, time) | bool | True where a sequence is, False where padding is |
    | result["targets"] | (batch,) | int64 | |

    The batch is a copy: writing into it leaves the sequences alone. All tensors are on the sequences' device.

    Raises:
        ValueError: no items, sequences that differ in dtype or in dimensions after time, multiple_of below 1.
    """
    if len(items) == 0:
        raise ValueError("there are no items to make a batch of")
    if multiple_of < 1:
        raise ValueError(f"multiple_of must be at least 1, not {multiple_of}")
    sequences = [sequence for sequence, _ in items]
    first = sequences[0]
    for sequence in sequences:
        if sequence.dtype != first.dtype:
            raise ValueError(f"sequences differ in dtype: {first.dtype} and {sequence.dtype}")
        if sequence.ndim == 0 or sequence.shape[1:] != first.shape[1:]:
            raise ValueError(f"sequences differ in dimensions: {tuple(first.shape)} and {tuple(sequence.shape)}")
    lengths = [len(sequence) for sequence in sequences]
    time = -(-max(lengths) // multiple_of) * multiple_of
    inputs = first.new_full((len(sequences), time, *first.shape[1:]), pad_value)
    for i, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        inputs[i, :length] = sequence
    times = torch.tensor(lengths, dtype=torch.int64, device=first.device)
    return {
        "inputs": inputs,
        "lengths": times,
        "mask": torch.arange(time, device=first.device) < times[:, None],
        "targets": torch.tensor([int(target) for _, target in items], dtype=torch.int64, device=first.device),
    }


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
    each bucket are shuffled before they are cut into batches, and the batches of all buckets are shuffled among each
    other: both anew for each epoch, with every order possible.

    With the other arguments the same, the order depends on (seed, epoch) and on nothing else: not on earlier iterations,
    not on global random state (which is left as it is), not on the worker. Different pairs give different orders: epoch
    1 of seed 0 is not epoch 0 of seed 1, either.

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
        super().__init__()
        lengths = [int(n) for n in (lengths.tolist() if isinstance(lengths, torch.Tensor) else lengths)]
        boundaries = [int(boundary) for boundary in boundaries]
        if any(n < 0 for n in lengths):
            raise ValueError("lengths must be at least 0")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if any(low >= high for low, high in zip(boundaries, boundaries[1:], strict=False)):
            raise ValueError(f"boundaries must be strictly ascending, not {boundaries}")
        if seed < 0:
            raise ValueError(f"seed must be at least 0, not {seed}")
        if num_workers < 1:
            raise ValueError(f"num_workers must be at least 1, not {num_workers}")
        if not 0 <= worker < num_workers:
            raise ValueError(f"worker must be in 0 … {num_workers - 1}, not {worker}")
        self.batch_size, self.shuffle, self.drop_last = int(batch_size), shuffle, drop_last
        self.seed, self.epoch = int(seed), 0
        self.worker, self.num_workers = int(worker), int(num_workers)
        buckets: list[list[int]] = [[] for _ in range(len(boundaries) + 1)]
        for index, n in enumerate(lengths):
            buckets[bisect_left(boundaries, n)].append(index)
        self.buckets = [np.array(bucket, dtype=np.int64) for bucket in buckets]

    def set_epoch(self, epoch: int) -> None:
        """Chooses the epoch, 0 at first, that the next iteration shows.

        Raises:
            ValueError: epoch is negative.
        """
        if epoch < 0:
            raise ValueError(f"epoch must be at least 0, not {epoch}")
        self.epoch = int(epoch)

    def __len__(self) -> int:
        extra = 0 if self.drop_last else self.batch_size - 1
        total = sum((len(bucket) + extra) // self.batch_size for bucket in self.buckets)
        return len(range(self.worker, total, self.num_workers))

    def __iter__(self) -> Iterator[list[int]]:
        # A hash of both numbers: neither their sum nor their lower bits decide, however large they are.
        digest = hashlib.sha256(f"{self.seed},{self.epoch}".encode()).digest()
        random = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))
        batches = []
        for bucket in self.buckets:
            order = (random.permutation(bucket) if self.shuffle else bucket).tolist()
            end = len(order) - len(order) % self.batch_size if self.drop_last else len(order)
            batches += [order[start : start + self.batch_size] for start in range(0, end, self.batch_size)]
        if self.shuffle:
            batches = [batches[i] for i in random.permutation(len(batches)).tolist()]
        return iter(batches[self.worker :: self.num_workers])
