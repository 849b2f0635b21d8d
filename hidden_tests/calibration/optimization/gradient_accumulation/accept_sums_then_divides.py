"""accept: gradients of sums, divided by the count at the end; clips with torch's function."""

import math

import torch
from torch import nn


def accumulate_gradients(model, loss_function, micro_batches, *, count=None):
    if count is None:
        count = len
    micro_batches = list(micro_batches)
    if any(x.shape[0] != y.shape[0] for x, y in micro_batches):
        raise ValueError("inputs and targets differ in length")
    total = sum(count(y) for _, y in micro_batches)
    if total == 0:
        raise ValueError("nothing counts")
    mean, before = 0.0, [p.grad for p in model.parameters()]
    for p in model.parameters():
        p.grad = None
    for x, y in micro_batches:
        n = count(y)
        if n == 0:
            continue
        loss = loss_function(model(x), y)
        loss = loss * n
        loss.backward()
        mean = mean + loss.detach()
    for p, old in zip(model.parameters(), before):
        if p.grad is not None:
            p.grad.div_(total)
        if old is not None:
            p.grad = old if p.grad is None else old + p.grad
    return mean / total


def train_epoch(model, optimizer, loss_function, batches, *, accumulation_steps, max_norm=None, count=None):
    if accumulation_steps <= 0:
        raise ValueError("accumulation_steps must be positive")
    if max_norm is not None and (math.isnan(max_norm) or max_norm <= 0):
        raise ValueError("max_norm must be positive")
    losses, group = [], []

    def step():
        optimizer.zero_grad()
        loss = accumulate_gradients(model, loss_function, group, count=count)
        if max_norm:
            nn.utils.clip_grad_norm_(list(model.parameters()), max_norm)
        optimizer.step()
        losses.append(float(loss))

    for pair in batches:
        group.append(pair)
        if len(group) == accumulation_steps:
            step()
            group = []
    if group:
        step()
    return losses


def gradient_squares(model, loss_function, inputs, targets, *, micro_batch_size):
    n = inputs.shape[0]
    if targets.shape[0] != n:
        raise ValueError("inputs and targets differ in length")
    if micro_batch_size < 1 or n == 0 or n % micro_batch_size != 0 or n == micro_batch_size:
        raise ValueError("micro_batch_size does not fit")
    params = [p for p in model.parameters() if p.requires_grad]

    def gradient(x, y):
        grads = torch.autograd.grad(loss_function(model(x), y), params, allow_unused=True)
        return torch.cat([g.double().reshape(-1) for g in grads if g is not None])

    small = []
    for i in range(0, n, micro_batch_size):
        g = gradient(inputs[i : i + micro_batch_size], targets[i : i + micro_batch_size])
        small.append(float(g @ g))
    g = gradient(inputs, targets)
    return sum(small) / len(small), float(g @ g)


def noise_scale(small_squares, big_squares, *, small_size, big_size):
    if small_size < 1 or big_size <= small_size:
        raise ValueError("sizes out of range")
    if len(small_squares) != len(big_squares) or not small_squares:
        raise ValueError("as many measurements of either kind, and some")
    traces, signals = [], []
    for s, b in zip(small_squares, big_squares):
        traces.append((s - b) * small_size * big_size / (big_size - small_size))
        signals.append((big_size * b - small_size * s) / (big_size - small_size))
    trace, signal = sum(traces) / len(traces), sum(signals) / len(signals)
    if signal <= 0:
        return trace, signal, float("inf")
    return trace, signal, max(0.0, trace) / signal


def scaled_lr(base_lr, *, base_batch_size, batch_size, step=0, warmup_steps=0):
    if math.isnan(base_lr) or base_lr < 0 or min(base_batch_size, batch_size) < 1 or min(step, warmup_steps) < 0:
        raise ValueError("out of range")
    k = batch_size / base_batch_size
    share = 1.0 if step >= warmup_steps else step / warmup_steps
    return base_lr * (1 - share) + base_lr * k * share
