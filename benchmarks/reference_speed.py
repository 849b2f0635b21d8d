"""How fast the reference solutions are beside PyTorch's own operators, as ratios measured in one run on one machine.

Each solution that torch has an operator for runs in turn with it, on the same float32 inputs and one thread, forward, and forward
and backward (by hand where the exercise asks for that); results are compared first. A ratio is the solution's smallest CPU time
over torch's: other work on the machine only ever adds time. A solution is written to be read; a fused kernel reads and writes
memory once where a formula does so once per operation, so that a ratio of 2 or 3 is what clarity costs.

Run `python benchmarks/reference_speed.py` (about a minute on an idle machine), or with `--json` for one JSON object on the last
line. Where there is a CUDA device, it is measured as well.
"""

import argparse
import gc
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from graders.sandbox.launch import STEADY  # noqa: E402

ENOUGH = 2e-3  # seconds of work between two readings of the clock
AGREE = 1e-3  # largest relative difference of results: this compares speed, the hidden tests compare digits

Call = Callable[..., Any]


@dataclass
class Operator:
    """A solution and torch's own. `by_hand` gives the gradients of inputs from (cotangent, *inputs), where autograd does not."""

    name: str
    solution: Call
    own: Call
    inputs: Sequence[torch.Tensor]
    by_hand: Call | None = None
    backward: bool = True

    def passes(self) -> Iterator[tuple[str, Callable[[], Any], Callable[[], Any]]]:
        """(what is measured, the solution's call, torch's call)"""
        yield (
            "forward" if self.backward else "step",
            lambda: without_gradients(self.solution, self.inputs),
            lambda: without_gradients(self.own, self.inputs),
        )
        if self.backward:
            cotangent = torch.randn_like(without_gradients(self.own, self.inputs))
            yield (
                "forward + backward",
                lambda: differentiate(self.solution, self.inputs, cotangent, self.by_hand),
                lambda: differentiate(self.own, self.inputs, cotangent),
            )


def without_gradients(call: Call, inputs: Sequence[torch.Tensor]) -> Any:
    with torch.no_grad():
        return call(*inputs)


def differentiate(
    call: Call, inputs: Sequence[torch.Tensor], cotangent: torch.Tensor, by_hand: Call | None = None
) -> Any:
    if by_hand is not None:
        with torch.no_grad():
            call(*inputs)
            grads = by_hand(cotangent, *inputs)
            return grads if isinstance(grads, tuple) else (grads,)
    leaves = [x.detach().requires_grad_() if x.is_floating_point() else x for x in inputs]
    result = call(*leaves)
    return torch.autograd.grad(result, [x for x in leaves if x.requires_grad], cotangent)


def solution(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), ROOT / "solutions" / f"{path}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def operators(device: str) -> Iterator[Operator]:
    """Everything that is compared, with inputs on `device`; torch's generator is seeded by the caller."""

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=device)

    yield from _activations(normal)
    yield from _losses(normal, device)
    yield from _embeddings(normal, device)
    yield from _normalisations(normal, device)
    yield from _dropout(normal)
    yield from _convolution(normal)
    yield from _attention(normal, device)
    yield from _optimization(normal)


def _activations(normal: Call) -> Iterator[Operator]:
    m, x = solution("foundations/activations"), [normal(512, 512)]
    named: dict[str, Call] = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": functional.leaky_relu,
        "gelu": functional.gelu,
        "softmax": lambda x: x.softmax(-1),
        "log_softmax": lambda x: x.log_softmax(-1),
    }
    for name, own in named.items():
        yield Operator(f"activations.{name}", getattr(m, name), own, x, getattr(m, f"{name}_backward"))


def _losses(normal: Call, device: str) -> Iterator[Operator]:
    m, pair = solution("foundations/losses"), [normal(512, 512), normal(512, 512)]
    yield Operator("losses.mse", m.mse, functional.mse_loss, pair)
    yield Operator("losses.mae", m.mae, functional.l1_loss, pair)
    yield Operator("losses.huber", m.huber, functional.huber_loss, pair)
    chances = pair[1].sigmoid()
    own = functional.binary_cross_entropy_with_logits
    yield Operator(
        "losses.bce_with_logits", lambda x: m.bce_with_logits(x, chances), lambda x: own(x, chances), pair[:1]
    )
    classes = torch.randint(512, (512,), device=device)
    yield Operator(
        "losses.cross_entropy",
        lambda x: m.cross_entropy(x, classes),
        lambda x: functional.cross_entropy(x, classes),
        pair[:1],
    )
    yield Operator("losses.triplet_margin", m.triplet_margin, functional.triplet_margin_loss, [*pair, normal(512, 512)])


def _embeddings(normal: Call, device: str) -> Iterator[Operator]:
    m, weight = solution("foundations/embedding"), normal(5000, 128)
    ids = torch.randint(len(weight), (4096,), device=device)
    offsets = torch.arange(0, len(ids), 8, device=device)
    yield Operator("embedding", lambda w: m.embedding(ids, w), lambda w: functional.embedding(ids, w), [weight])
    for mode in ("sum", "mean", "max"):
        yield Operator(
            f"embedding_bag, {mode}",
            lambda w, mode=mode: m.embedding_bag(ids, w, offsets, mode),
            lambda w, mode=mode: functional.embedding_bag(ids, w, offsets, mode=mode),
            [weight],
        )


def _normalisations(normal: Call, device: str) -> Iterator[Operator]:
    m = solution("normalization/layer_norm")
    rows = [normal(1024, 512), normal(512), normal(512)]
    yield Operator(
        "layer_norm",
        lambda x, w, b: m.layer_norm(x, 512, w, b),
        lambda x, w, b: functional.layer_norm(x, (512,), w, b),
        rows,
    )
    images, affine = normal(32, 64, 16, 16), [normal(64), normal(64)]
    mine, own = solution("normalization/batch_norm").BatchNorm(64).to(device), nn.BatchNorm2d(64).to(device)
    yield Operator("batch_norm, training", lambda x: mine(x), lambda x: own(x), [images])
    family, group = solution("normalization/norm_family").normalize, solution("normalization/group_norm").group_norm
    kinds: dict[str, Call] = {
        "batch": lambda x, w, b: functional.batch_norm(x, None, None, w, b, True),
        "instance": lambda x, w, b: functional.instance_norm(x, weight=w, bias=b),
    }
    for kind, theirs in kinds.items():
        yield Operator(
            f"norm_family, {kind}", lambda x, w, b, kind=kind: family(x, kind, w, b), theirs, [images, *affine]
        )

    def torch_group_norm(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return functional.group_norm(x, 16, w, b)

    yield Operator(
        "norm_family, group",
        lambda x, w, b: family(x, "group", w, b, num_groups=16),
        torch_group_norm,
        [images, *affine],
    )
    last = images.to(memory_format=torch.channels_last)
    for name, x in (("group_norm", images), ("group_norm, channels_last", last)):
        yield Operator(name, lambda x, w, b: group(x, 16, w, b), torch_group_norm, [x, *affine])


def _dropout(normal: Call) -> Iterator[Operator]:
    m, x = solution("regularization/dropout"), [normal(512, 512)]

    yield Operator("dropout", lambda x: m.dropout(x, 0.5), lambda x: functional.dropout(x, 0.5), x)


def _convolution(normal: Call) -> Iterator[Operator]:
    m = solution("convolution/conv2d")
    inputs = [normal(8, 32, 28, 28), normal(64, 32, 3, 3) / 17, normal(64)]
    yield Operator(
        "conv2d, 3×3",
        lambda x, w, b: m.conv2d(x, w, b, padding=1),
        lambda x, w, b: functional.conv2d(x, w, b, padding=1),
        inputs,
        lambda grad, x, w, b: m.conv2d_backward(grad, x, w, padding=1),
    )
    depthwise = [normal(8, 32, 28, 28), normal(32, 1, 3, 3) / 3, normal(32)]
    yield Operator(
        "conv2d, depthwise",
        lambda x, w, b: m.conv2d(x, w, b, padding=1, groups=32),
        lambda x, w, b: functional.conv2d(x, w, b, padding=1, groups=32),
        depthwise,
        lambda grad, x, w, b: m.conv2d_backward(grad, x, w, padding=1, groups=32),
    )


def _attention(normal: Call, device: str) -> Iterator[Operator]:
    m, heads = solution("attention/scaled_dot_product_attention"), [normal(4, 8, 128, 64) for _ in range(3)]
    own = functional.scaled_dot_product_attention
    yield Operator("scaled_dot_product_attention", m.scaled_dot_product_attention, own, heads)
    yield Operator(
        "scaled_dot_product_attention, causal",
        lambda q, k, v: m.scaled_dot_product_attention(q, k, v, is_causal=True),
        lambda q, k, v: own(q, k, v, is_causal=True),
        heads,
    )
    mine = solution("attention/multi_head_attention").MultiHeadAttention(256, 8).to(device)
    theirs = nn.MultiheadAttention(256, 8, batch_first=True, device=device)
    theirs.load_state_dict(mine.state_dict())
    yield Operator(
        "multi_head_attention",
        lambda x: mine(x)[0],
        lambda x: theirs(x, x, x, need_weights=False)[0],
        [normal(8, 128, 256)],
    )


def _optimization(normal: Call) -> Iterator[Operator]:
    m = solution("optimization/optimizers")
    made: dict[str, tuple[str, dict[str, Any]]] = {
        "SGD": ("SGD", {"lr": 1e-3, "momentum": 0.9}),
        "RMSProp": ("RMSprop", {"lr": 1e-3}),
        "Adam": ("Adam", {"lr": 1e-3}),
        "AdamW": ("AdamW", {"lr": 1e-3}),
    }
    for name, (own, options) in made.items():
        params = [normal(64, 64) for _ in range(50)]
        for foreach in (True, False):
            kinds = getattr(m, name), getattr(torch.optim, own)
            steps = [stepper(kind, params, options | {"foreach": foreach}) for kind in kinds]
            how = "together" if foreach else "one by one"
            yield Operator(f"optimizers.{name}, {how}", *steps, [], backward=False)
    clip, own_clip = solution("optimization/gradient_clipping").clip_by_norm, nn.utils.clip_grad_norm_
    params = with_gradients(params)
    yield Operator("clip_by_norm", lambda: clip(params, 1e3), lambda: own_clip(params, 1e3), [], backward=False)


def with_gradients(start: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Parameters with these values, and gradients of the same values."""
    params = [x.clone().requires_grad_() for x in start]
    for param, grad in zip(params, start, strict=True):
        param.grad = grad.clone()
    return params


def stepper(kind: Any, start: Sequence[torch.Tensor], options: dict[str, Any]) -> Call:
    """A call that makes one step of an optimizer of its own."""
    params = with_gradients(start)
    optimizer = kind(params, **options)

    def step() -> torch.Tensor:
        optimizer.step()
        return params[0].detach()

    return step


def disagreement(mine: Any, own: Any) -> float:
    """The largest difference of two results, relative to the largest number."""
    pairs = zip(mine, own, strict=True) if isinstance(own, tuple | list) else [(mine, own)]
    return max(float((a - b).abs().max() / b.abs().max().clamp(min=1e-12)) for a, b in pairs)


def clock(call: Callable[[], Any], calls: int, device: str) -> float:
    """Seconds per call: of this process' CPU time, or on the wall where a device does the work."""
    now = time.perf_counter if device == "cuda" else time.process_time
    begin = now()
    for _ in range(calls):
        call()
    if device == "cuda":
        torch.cuda.synchronize()
    return (now() - begin) / calls


def measure(mine: Callable[[], Any], own: Callable[[], Any], repeats: int, device: str) -> tuple[float, float]:
    """Smallest seconds per call of both, in turn."""
    both, calls, best = (mine, own), [], [float("inf")] * 2
    for call in both:
        clock(call, 3, device)
        calls.append(max(1, round(ENOUGH / clock(call, 3, device))))
    gc.disable()
    for repeat in range(repeats):
        for side in (0, 1) if repeat % 2 else (1, 0):
            best[side] = min(best[side], clock(both[side], calls[side], device))
    gc.enable()
    return best[0], best[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--only", default="", metavar="TEXT", help="operators whose name contains it")
    chosen = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in STEADY.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | STEADY)
    torch.set_num_threads(1)
    found: dict[str, dict[str, float]] = {}
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        torch.manual_seed(0)
        print(f"{torch.cuda.get_device_name() if device == 'cuda' else 'CPU, one thread'}, torch {torch.__version__}")
        print(f"{'':36} {'':18} {'solution, ms':>13} {'torch, ms':>10} {'ratio':>6}")
        for operator in operators(device):
            if chosen.only not in operator.name:
                continue
            for what, mine, own in operator.passes():
                # What dropout draws is not comparable.
                if operator.name != "dropout" and (apart := disagreement(mine(), own())) > AGREE:
                    raise SystemExit(f"{operator.name}, {what}: results differ by {apart:.2g}, so times mean nothing")
                times = measure(mine, own, chosen.repeats, device)
                ratio = times[0] / times[1]
                print(
                    f"{operator.name:36} {what:18} {1e3 * times[0]:13.3f} {1e3 * times[1]:10.3f} {ratio:6.2f}",
                    flush=True,
                )
                found.setdefault(device, {})[f"{operator.name}, {what}"] = round(ratio, 3)
    if chosen.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
