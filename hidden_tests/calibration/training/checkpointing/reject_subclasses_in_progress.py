"""reject behaviour: members of an IntEnum are saved, and the file cannot be read back."""

import os
import random
import zipfile

import numpy as np
import torch

KINDS = {"model": dict, "optimizer": dict, "scheduler": dict | None, "progress": dict}
KINDS |= {"generator": torch.Tensor | None, "random_state": dict}


def random_state():
    numpy_state = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
        "numpy": [numpy_state[0], numpy_state[1].tolist(), *numpy_state[2:]],
        "python": random.getstate(),
    }


def set_random_state(state):
    torch.set_rng_state(state["torch"])
    for device in range(min(torch.cuda.device_count(), len(state["cuda"]))):
        torch.cuda.set_rng_state(state["cuda"][device], device)
    np.random.set_state(tuple(state["numpy"]))
    random.setstate(state["python"])


def save_checkpoint(path, *, model, optimizer, scheduler=None, generator=None, progress=None):
    progress = {} if progress is None else progress
    for key, value in progress.items():
        if type(key) is not str or isinstance(value, np.generic) or not isinstance(value, (bool, int, float, str)):
            raise TypeError("progress must hold Python's own numbers and strings")
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict() if scheduler is not None else None,
        "generator": generator.get_state() if generator is not None else None,
        "progress": progress,
        "random_state": random_state(),
    }
    temporary = path.parent / (path.name + ".tmp")
    try:
        with temporary.open("wb") as stream:
            torch.save(content, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_checkpoint(content):
    return isinstance(content, dict) and all(isinstance(content.get(key, 0), kind) for key, kind in KINDS.items())


def read(path):
    if not path.exists():
        raise FileNotFoundError(path)
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} cannot be read") from error
    if bad is not None or not is_checkpoint(content):
        raise ValueError(f"{path} is damaged or not a checkpoint")
    return content


def check_model(model, weights):
    own = model.state_dict()
    if own.keys() != weights.keys() or any(own[name].shape != weights[name].shape for name in own):
        raise ValueError("the checkpoint is of another model")


def load_checkpoint(path, *, model, optimizer, scheduler=None, generator=None):
    content = read(path)
    check_model(model, content["model"])
    if (scheduler is None) != (content["scheduler"] is None) or (generator is None) != (content["generator"] is None):
        raise ValueError("scheduler and generator must be given if, and only if, they were saved")
    before = random_state()
    try:
        set_random_state(content["random_state"])
        optimizer.load_state_dict(content["optimizer"])
    except Exception as error:
        set_random_state(before)
        raise ValueError("the checkpoint is of another run") from error
    model.load_state_dict(content["model"])
    if scheduler is not None:
        scheduler.load_state_dict(content["scheduler"])
    if generator is not None:
        generator.set_state(content["generator"])
    return content["progress"]


def load_weights(path, model):
    content = read(path)
    check_model(model, content["model"])
    model.load_state_dict(content["model"])
