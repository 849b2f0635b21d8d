"""accept: a digest inside the file instead of the archive's checksums, and a rollback instead of checks beforehand."""

import copy
import hashlib
import os
import random
import tempfile

import numpy as np
import torch


def digest(value, into=None):
    into = into or hashlib.sha256()
    if isinstance(value, torch.Tensor):
        into.update(f"{value.dtype}{tuple(value.shape)}".encode() + value.detach().cpu().contiguous().numpy().tobytes())
    elif isinstance(value, dict):
        for key in value:
            into.update(repr(key).encode())
            digest(value[key], into)
    elif isinstance(value, (list, tuple)):
        into.update(type(value).__name__.encode())
        for item in value:
            digest(item, into)
    else:
        into.update(repr(value).encode())
    return into.hexdigest()


def numpy_state():
    state = np.random.get_state(legacy=False)
    return {
        "kind": state["bit_generator"],
        "key": torch.from_numpy(state["state"]["key"].astype(np.int64)),
        "pos": state["state"]["pos"],
        "has_gauss": state["has_gauss"],
        "gauss": state["gauss"],
    }


def set_numpy_state(state):
    key = state["key"].numpy().astype(np.uint32)
    np.random.set_state((state["kind"], key, state["pos"], state["has_gauss"], state["gauss"]))


def collect(model, optimizer, scheduler, generator):
    version, keys, gauss = random.getstate()
    return {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": None if scheduler is None else scheduler.state_dict(),
        "generator": None if generator is None else generator.get_state(),
        "torch_rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all(),
        "numpy_rng": numpy_state(),
        "python_rng": [version, torch.tensor(keys), gauss],
    }


def restore(content, model, optimizer, scheduler, generator):
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    for part, state in ((scheduler, content["scheduler"]), (generator, content["generator"])):
        if (part is None) != (state is None):
            raise ValueError("given on one side only")
    if scheduler is not None:
        scheduler.load_state_dict(content["scheduler"])
    if generator is not None:
        generator.set_state(content["generator"])
    torch.set_rng_state(content["torch_rng"])
    for device, state in enumerate(content["cuda_rng"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, device)
    set_numpy_state(content["numpy_rng"])
    version, keys, gauss = content["python_rng"]
    random.setstate((version, tuple(keys.tolist()), gauss))


def save_checkpoint(path, *, model, optimizer, scheduler=None, generator=None, progress=None):
    progress = dict(progress) if progress else {}
    if any(type(key) is not str for key in progress):
        raise TypeError("keys of progress must be strings")
    if any(type(value) not in {bool, int, float, str} for value in progress.values()):
        raise TypeError("values of progress must be plain")
    content = {**collect(model, optimizer, scheduler, generator), "progress": progress}
    content["digest"] = digest(content)
    handle, name = tempfile.mkstemp(dir=path.parent)
    os.close(handle)
    try:
        torch.save(content, name)
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        os.rename(name, path)
    except BaseException:
        os.unlink(name)
        raise


def read(path):
    with open(path, "rb") as file:
        try:
            content = torch.load(file, map_location=torch.device("cpu"), weights_only=True)
            expected = content.pop("digest")
            if digest(content) != expected:
                raise ValueError("wrong digest")
        except Exception as error:
            raise ValueError("damaged, or not a checkpoint") from error
    return content


def load_checkpoint(path, *, model, optimizer, scheduler=None, generator=None):
    content = read(path)
    before = copy.deepcopy(collect(model, optimizer, scheduler, generator))
    try:
        restore(content, model, optimizer, scheduler, generator)
    except Exception as error:
        restore(before, model, optimizer, scheduler, generator)
        raise ValueError("the checkpoint does not fit") from error
    return content["progress"]


def load_weights(path, model):
    weights = read(path)["model"]
    before = copy.deepcopy(model.state_dict())
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        model.load_state_dict(before)
        raise ValueError("the checkpoint is of another model") from error
