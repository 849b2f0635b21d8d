"""Plain data: the only thing that crosses between a candidate's code and a test, copied on the way."""

from typing import Any

import numpy as np
import torch

DEPTH = 32
SCALARS: tuple[Any, ...] = (bool, int, float, complex, str, bytes)
DTYPES = (
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int16, torch.int32,
    torch.int64, torch.bool, torch.complex64, torch.complex128,
)  # fmt: skip
CONTAINERS: tuple[Any, ...] = (list, tuple, set, frozenset)


def copy_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """A detached dense CPU copy with the same strides, or a contiguous one where the strides overlap."""
    if tensor.layout is not torch.strided or tensor.is_meta:
        kind = "no data" if tensor.is_meta else f"layout {tensor.layout}"
        raise TypeError(f"a tensor with {kind} cannot leave the exercise: make it dense")
    if tensor.dtype not in DTYPES:
        raise TypeError(f"a tensor of dtype {tensor.dtype} cannot leave the exercise: convert it")
    dense = tensor.detach().as_subclass(torch.Tensor).cpu()
    copy = torch.empty_strided(dense.shape, dense.stride(), dtype=dense.dtype) if _injective(dense) else None
    return dense.clone(memory_format=torch.contiguous_format) if copy is None else copy.copy_(dense)


def _injective(tensor: torch.Tensor) -> bool:
    extent = 1
    for stride, size in sorted((s, n) for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1):
        if stride < extent:
            return False
        extent = stride * size
    return True


def plain(value: Any, depth: int = DEPTH) -> Any:
    """A deep copy of `value` made of plain data only.

    Tensors, arrays, numbers, strings, bytes, None, dtypes, devices and lists, tuples, sets and dicts of these survive;
    subclasses become their base (a namedtuple a tuple, a Parameter a tensor).

    Raises:
        TypeError: for anything else, naming its type.
    """
    if depth == 0:
        raise TypeError(f"data nested deeper than {DEPTH} levels cannot leave the exercise")
    if value is None or isinstance(value, torch.dtype | torch.device):
        return value
    for scalar in SCALARS:
        if isinstance(value, scalar):
            return value if type(value) is scalar else scalar(value)
    if isinstance(value, torch.Tensor):
        return copy_tensor(value)
    if isinstance(value, np.generic):
        item = value.item()  # of a long double: itself
        return plain(np.asarray(value) if isinstance(item, np.generic) else item, depth - 1)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biufc":
            raise TypeError(f"an array of dtype {value.dtype} cannot leave the exercise: use numbers")
        return np.array(value, copy=True, order="K", subok=False)
    if isinstance(value, list | tuple | set | frozenset):
        container = next(k for k in CONTAINERS if isinstance(value, k))
        return container(plain(item, depth - 1) for item in value)
    if isinstance(value, dict):
        return {plain(key, depth - 1): plain(item, depth - 1) for key, item in value.items()}
    raise TypeError(f"a value of type {type(value).__name__} cannot leave the exercise: tensors, arrays, numbers can")
