"""accept: written from the stub and the public tests alone."""

import copy
import io
import os
import random
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

Scheduler = torch.optim.lr_scheduler.LRScheduler
Progress = dict[str, bool | int | float | str]


def _plain(value: Any) -> Any:
    """value with NumPy's numbers and arrays as Python's: torch.load(weights_only=True) refuses the former."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if type(value) is dict:
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_plain(entry) for entry in value)
    return value


def _place(saved: Any, like: Any) -> Any:
    """saved, its tensors on the devices of the tensors that are in their places in `like`."""
    if isinstance(saved, torch.Tensor):
        return saved.to(like.device) if isinstance(like, torch.Tensor) else saved
    if type(saved) is dict and isinstance(like, dict):
        return {key: _place(value, like.get(key)) for key, value in saved.items()}
    if type(saved) in (list, tuple) and isinstance(like, list | tuple) and len(saved) == len(like):
        return type(saved)(_place(value, other) for value, other in zip(saved, like, strict=True))
    return saved


def _names(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[list[str | None]]:
    """The names of the parameters in each group of the optimizer (None: not one of the model)."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [[names.get(id(parameter)) for parameter in group["params"]] for group in optimizer.param_groups]


@contextmanager
def _checksums() -> Iterator[None]:
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(True)
    try:
        yield
    finally:
        torch.serialization.set_crc32_options(before)


def _check_progress(progress: Any) -> None:
    if not isinstance(progress, dict):
        raise TypeError(f"progress must be a dict, not {type(progress).__name__}")
    for key, value in progress.items():
        if type(key) is not str:
            raise TypeError(f"keys of progress must be strings, not {type(key).__name__}: {key!r}")
        if type(value) not in (bool, int, float, str):
            raise TypeError(f"progress[{key!r}] must be a bool, int, float or str, not {type(value).__name__}")


def save_checkpoint(
    path: Path,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: Scheduler | None = None,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> None:
    """Writes everything that the run needs to go on, and nothing but the file `path`.

    | name | type | meaning |
    |---|---|---|
    | path | Path | the file, in a folder that exists; an older checkpoint there is replaced |
    | generator | torch.Generator | the run's own generator (of a data loader, say), if it has one |
    | progress | dict of str to bool, int, float or str | where the run is: epoch, step, best loss; {} if None |

    Beside what is given, the states of the global generators are saved: torch's (on the CPU and on every CUDA device),
    NumPy's legacy `np.random` and Python's `random`. Saving draws from none of them, and the run that goes on after a
    save is the run that would have been without.

    At any moment `path` is absent (if it was), the whole old file or the whole new one, even if the process is killed
    or the machine loses power: the new file is made in the same folder, is complete and on the disk (`os.fsync`, called
    under this name: the tests watch it), and then takes its place by a rename. A reader who has opened the old file
    keeps reading the old one. If the save raises (an interrupt from the keyboard included), the old file is as it was
    and no other file is left behind. After a process was killed, leftovers must not hinder the next save.

    Raises:
        TypeError: a key of progress is not a string, or a value is of another type than those listed; subclasses
            and NumPy's numbers (`np.float64`) are other types. Nothing has been written then.
    """
    progress = {} if progress is None else progress
    _check_progress(progress)
    path = Path(path)
    weights = model.state_dict()
    content = {
        "model": weights,
        "optimizer": _plain(optimizer.state_dict()),
        "scheduler": None if scheduler is None else _plain(scheduler.state_dict()),
        "progress": dict(progress),
        "optimizer_names": _names(model, optimizer),
        # What a step in the middle of an accumulation of gradients reads, and buffers that state_dict leaves out.
        "gradients": {name: p.grad for name, p in model.named_parameters() if p.grad is not None},
        "buffers": {name: buffer for name, buffer in model.named_buffers() if name not in weights},
        "random": {
            "torch": torch.get_rng_state(),
            "cuda": list(torch.cuda.get_rng_state_all()),
            "numpy": _plain(np.random.get_state(legacy=False)),
            "python": random.getstate(),
            "generator": None if generator is None else generator.get_state(),
        },
    }
    # Into memory first: whatever cannot be pickled, or not be read again, fails before there is a file.
    buffer = io.BytesIO()
    with _checksums():
        torch.save(content, buffer)
    buffer.seek(0)
    try:
        torch.load(buffer, map_location="meta", weights_only=True)
    except Exception as error:
        raise ValueError(f"the run holds something that torch.load(weights_only=True) cannot read: {error}") from error

    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"  # short and new: no leftover is in the way
    try:
        with open(temporary, "xb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    # The rename too should outlast a power loss; if that cannot be had, the file is whole nevertheless.
    with suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _read(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, on the CPU, its checksums verified and no code run."""
    try:
        file = open(path, "rb")
    except IsADirectoryError as error:
        raise ValueError(f"{path} is a folder, not a checkpoint") from error
    with file:
        try:
            with zipfile.ZipFile(file) as archive:
                damaged = archive.testzip()
            if damaged is not None:
                raise ValueError(f"wrong checksum of {damaged}")
            file.seek(0)
            content = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ValueError(f"{path} is damaged or not a checkpoint: {error}") from error
    foreign = f"{path} is not a checkpoint: "
    _require(isinstance(content, dict), foreign + "it holds no dict")
    for key in ("model", "optimizer", "scheduler", "progress"):
        _require(key in content, foreign + f"{key!r} is missing")
    for key in ("model", "optimizer", "progress"):
        _require(isinstance(content[key], dict), foreign + f"{key!r} is not a dict")
    try:
        _check_progress(content["progress"])
    except TypeError as error:
        raise ValueError(foreign + str(error)) from error
    return content


def _check_model(saved: dict[str, Any], model: nn.Module) -> None:
    current = model.state_dict()
    missing, unknown = [k for k in current if k not in saved], [k for k in saved if k not in current]
    _require(not missing and not unknown, f"names differ: the file lacks {missing}, the model lacks {unknown}")
    for name, value in current.items():
        if not isinstance(value, torch.Tensor):
            continue
        _require(isinstance(saved[name], torch.Tensor), f"{name} is no tensor in the file")
        if not is_lazy(value):
            shapes = tuple(saved[name].shape), tuple(value.shape)
            _require(shapes[0] == shapes[1], f"{name} has shape {shapes[0]} in the file, {shapes[1]} in the model")


def _check_optimizer(content: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    saved = content["optimizer"]
    _require(isinstance(saved.get("state"), dict), "the optimizer's state is missing")
    groups = saved.get("param_groups")
    _require(isinstance(groups, list), "the optimizer's groups are missing")
    _require(len(groups) == len(optimizer.param_groups), "the optimizer has another number of groups")
    for group, current in zip(groups, optimizer.param_groups, strict=True):
        _require(isinstance(group, dict) and isinstance(group.get("params"), list), "a group of the optimizer is none")
        _require(len(group["params"]) == len(current["params"]), "a group of the optimizer has another size")
        lacking = [key for key in optimizer.defaults if key not in group]
        _require(not lacking, f"the optimizer is of another kind: its groups lack {lacking} in the file")
    _require(content["optimizer_names"] == _names(model, optimizer), "the optimizer's groups hold other parameters")


def _check_tensors(content: dict[str, Any], model: nn.Module) -> None:
    """Checks gradients and buffers outside state_dict."""
    gradients, buffers = content["gradients"], content["buffers"]
    _require(isinstance(gradients, dict) and isinstance(buffers, dict), "gradients or buffers are not a dict")
    parameters = dict(model.named_parameters())
    for name, gradient in gradients.items():
        _require(name in parameters and isinstance(gradient, torch.Tensor), f"unknown gradient {name!r}")
        lazy = is_lazy(parameters[name])
        _require(lazy or gradient.shape == parameters[name].shape, f"the gradient of {name} has another shape")
    for name, buffer in buffers.items():
        _require(isinstance(name, str) and isinstance(buffer, torch.Tensor), f"unknown buffer {name!r}")
        owner, _, leaf = name.rpartition(".")
        try:
            known = leaf in model.get_submodule(owner)._buffers
        except AttributeError:
            known = False
        _require(known, f"unknown buffer {name!r}")


def _check_random(states: Any, generator: torch.Generator | None) -> None:
    """Tries the states on generators of its own."""
    _require(
        isinstance(states, dict) and {"torch", "cuda", "numpy", "python", "generator"} <= states.keys(),
        "states of random generators are missing",
    )
    if generator is None:
        _require(states["generator"] is None, "the run was saved with a generator, but none is given")
    else:
        _require(states["generator"] is not None, "a generator is given, but the run was saved without")
    try:
        torch.Generator().set_state(states["torch"])
        if generator is not None:
            torch.Generator(device=generator.device).set_state(states["generator"])
        random.Random().setstate(states["python"])
        kind = np.random.get_state(legacy=False)["bit_generator"]
        if states["numpy"]["bit_generator"] != kind:
            raise ValueError(f"np.random is a {kind}, not a {states['numpy']['bit_generator']}")
        np.random.RandomState(getattr(np.random, kind)()).set_state(states["numpy"])
        if not isinstance(states["cuda"], list) or any(state.dtype != torch.uint8 for state in states["cuda"]):
            raise ValueError("states of CUDA generators are not bytes")
    except Exception as error:
        raise ValueError(f"the state of a random generator cannot be restored: {error}") from error


def _check_scheduler(saved: Any, scheduler: Scheduler | None) -> None:
    if scheduler is None:
        _require(saved is None, "the run was saved with a scheduler, but none is given")
        return
    _require(saved is not None, "a scheduler is given, but the run was saved without")
    current = scheduler.state_dict()
    if isinstance(current, dict):
        _require(isinstance(saved, dict), "the scheduler's state is not a dict")
        lacking = [key for key in current if key not in saved]
        _require(not lacking, f"the scheduler is of another kind: its state lacks {lacking} in the file")


def _load_optimizer(saved: dict[str, Any], optimizer: torch.optim.Optimizer, *, exact: bool) -> None:
    groups = []
    for group, current in zip(saved["param_groups"], optimizer.param_groups, strict=True):
        group = {key: value if key == "params" else _place(value, current.get(key)) for key, value in group.items()}
        if "capturable" in current:  # goes with the device, which may be another
            group["capturable"] = current["capturable"]
        groups.append(group)
    optimizer.load_state_dict({**saved, "param_groups": groups})
    if not exact:
        return
    # load_state_dict casts every floating-point state to the parameter's dtype, which not all of them had (NAdam's
    # mu_product and ASGD's eta, for example): take them as they were saved.
    for group, current in zip(groups, optimizer.param_groups, strict=True):
        for key, parameter in zip(group["params"], current["params"], strict=True):
            if key in saved["state"] and parameter in optimizer.state:
                loaded = optimizer.state[parameter]
                if isinstance(loaded, dict) and loaded.keys() == saved["state"][key].keys():
                    optimizer.state[parameter] = _place(saved["state"][key], loaded)


@torch.no_grad()
def _load_tensors(content: dict[str, Any], model: nn.Module) -> None:
    for name, parameter in model.named_parameters():
        gradient = content["gradients"].get(name)
        parameter.grad = None if gradient is None else gradient.to(parameter.device, parameter.dtype)
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    for name, saved in content["buffers"].items():
        owner, _, leaf = name.rpartition(".")
        buffers = model.get_submodule(owner)._buffers
        current = buffers[leaf]
        if current is not None and current.shape == saved.shape and 0 not in current.stride():
            current.copy_(saved)
        else:
            buffers[leaf] = saved.to(device if current is None else current.device)


def load_checkpoint(
    path: Path,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    scheduler: Scheduler | None = None,
    generator: torch.Generator | None = None,
) -> Progress:
    """Puts the run back where `save_checkpoint` found it: model, optimizer, scheduler, generator and the global
    generators.

    The objects are new ones, built as those of the saved run, on the device where they are to be used: what is loaded
    goes to the model's device, whatever the device that it was saved from; a GPU that this machine lacks included.
    States of CUDA generators are restored for as many devices as both machines have. The modes (`train()`, `eval()`)
    stay as they are.

    Returns:
        progress as it was saved, types included.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged (empty, cut short, overwritten; a single changed byte in a stored tensor or
            other record, which torch.load alone does not notice) or not a checkpoint; it would run code (which must not
            happen); names or shapes of the model's tensors differ; the optimizer has other groups; scheduler or
            generator are given though they were not saved, or the other way round. No argument and no global generator
            has been changed then.
    """
    content = _read(path)
    for key in ("optimizer_names", "gradients", "buffers", "random"):
        _require(key in content, f"{path} is not a checkpoint of a run: {key!r} is missing")
    # Everything is checked before anything is changed.
    _check_model(content["model"], model)
    _check_optimizer(content, model, optimizer)
    _check_tensors(content, model)
    _check_scheduler(content["scheduler"], scheduler)
    states = content["random"]
    _check_random(states, generator)

    current = model.state_dict()
    exact = all(
        content["model"][name].dtype == value.dtype
        for name, value in current.items()
        if isinstance(value, torch.Tensor)
    )
    old_optimizer = optimizer.state, optimizer.param_groups
    old_scheduler = None if scheduler is None else copy.deepcopy(scheduler.state_dict())
    try:
        _load_optimizer(content["optimizer"], optimizer, exact=exact)
        if scheduler is not None:
            scheduler.load_state_dict(_place(content["scheduler"], old_scheduler))
        model.load_state_dict(content["model"])
    except Exception as error:
        optimizer.state, optimizer.param_groups = old_optimizer
        if scheduler is not None:
            scheduler.load_state_dict(old_scheduler)
        raise ValueError(f"{path} does not fit this run: {error}") from error
    _load_tensors(content, model)

    for device, state in zip(range(torch.cuda.device_count()), states["cuda"], strict=False):
        torch.cuda.set_rng_state(state, device)
    torch.set_rng_state(states["torch"])
    np.random.set_state(states["numpy"])
    random.setstate(states["python"])
    if generator is not None:
        generator.set_state(states["generator"])
    return dict(content["progress"])


def load_weights(path: Path, model: nn.Module) -> None:
    """Puts the weights (and buffers) of a checkpoint into `model`, on the model's device, and touches nothing else: to
    evaluate or to fine-tune, neither optimizer nor random numbers of the old run are wanted.

    Raises:
        FileNotFoundError, ValueError: as `load_checkpoint`, as far as the file and the model are concerned.
    """
    content = _read(path)
    _check_model(content["model"], model)
    try:
        model.load_state_dict(content["model"])
    except Exception as error:
        raise ValueError(f"{path} does not fit this model: {error}") from error
