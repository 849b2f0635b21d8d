"""reject behaviour: seed · 10 000 + epoch, so that long runs replay the epochs of the next seed."""

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler


class SequenceDataset(Dataset):
    def __init__(self, sequences, targets):
        if len(sequences) != len(targets):
            raise ValueError("there must be one target per sequence")
        self.sequences = list(sequences)
        self.targets = [int(target) for target in targets]
        self.lengths = [len(sequence) for sequence in self.sequences]

    def __len__(self):
        return len(self.sequences)

    def __getitem__(self, index):
        return self.sequences[index], self.targets[index]


def pad_collate(items, *, pad_value=0, multiple_of=1):
    if multiple_of < 1:
        raise ValueError("multiple_of must be at least 1")
    if len(items) == 0:
        raise ValueError("items must hold at least one pair")
    sequences, targets = zip(*items)
    first = sequences[0]
    for sequence in sequences:
        if sequence.dtype != first.dtype or sequence.shape[1:] != first.shape[1:]:
            raise ValueError("items must agree in dtype and in dimensions after time")
    lengths = torch.tensor([len(sequence) for sequence in sequences], device=first.device)
    time = -(-int(lengths.max()) // multiple_of) * multiple_of
    inputs = torch.full((len(items), time, *first.shape[1:]), pad_value, dtype=first.dtype, device=first.device)
    for row, sequence in enumerate(sequences):
        inputs[row, : len(sequence)] = sequence
    mask = torch.arange(time, device=first.device) < lengths[:, None]
    targets = torch.tensor(targets, device=first.device)
    return {"inputs": inputs, "lengths": lengths, "mask": mask, "targets": targets}


class BucketBatchSampler(Sampler):
    def __init__(
        self, lengths, batch_size, *, boundaries=(), shuffle=True, drop_last=False, seed=0, worker=0, num_workers=1
    ):
        lengths = np.asarray(lengths, dtype=np.int64)
        boundaries = list(boundaries)
        if (lengths < 0).any():
            raise ValueError("lengths must not be negative")
        if batch_size < 1:
            raise ValueError("batch_size must be at least 1")
        if any(b <= a for a, b in zip(boundaries, boundaries[1:])):
            raise ValueError("boundaries must ascend strictly")
        if seed < 0:
            raise ValueError("seed must not be negative")
        if not 0 <= worker < num_workers:
            raise ValueError("worker must be 0 ... num_workers - 1")
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last
        self.seed, self.epoch, self.worker, self.num_workers = seed, 0, worker, num_workers
        bucket = np.searchsorted(boundaries, lengths)
        self.buckets = [np.flatnonzero(bucket == k) for k in range(len(boundaries) + 1)]

    def set_epoch(self, epoch):
        if epoch < 0:
            raise ValueError("epoch must not be negative")
        self.epoch = epoch

    def __len__(self):
        extra = 0 if self.drop_last else self.batch_size - 1
        total = sum((len(members) + extra) // self.batch_size for members in self.buckets)
        return len(range(self.worker, total, self.num_workers))

    def epoch_batches(self):
        rng = np.random.default_rng(10_000 * self.seed + self.epoch)
        batches = []
        for members in self.buckets:
            if self.shuffle:
                members = rng.permutation(members)
            for start in range(0, len(members), self.batch_size):
                batch = members[start : start + self.batch_size].tolist()
                if len(batch) == self.batch_size or not self.drop_last:
                    batches.append(batch)
        if self.shuffle:
            batches = [batches[k] for k in rng.permutation(len(batches))]
        return batches

    def __iter__(self):
        yield from self.epoch_batches()[self.worker :: self.num_workers]
