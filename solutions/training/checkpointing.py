"""Checkpointing

Interview question: "Write checkpointing for a long training run. What must be stored so that a resumed run is the run
that would have been, what happens if the machine dies in the middle of a save, and why can loading a checkpoint be
dangerous?"

Build `save_checkpoint`, `load_checkpoint` and `load_weights`: save a run, go on with it exactly, or take its weights
only.

As in every `files` exercise: every path is an argument, nothing is written elsewhere, and a file that is missing or
damaged is refused with a clear error.

The file is one that `torch.save` writes and that `torch.load(path, weights_only=True)` reads without your code and
without an allow-list. It holds a dict:

| key | value |
|---|---|
| "model" | `model.state_dict()` |
| "optimizer" | `optimizer.state_dict()` |
| "scheduler" | `scheduler.state_dict()`, or None |
| "progress" | the dict that `save_checkpoint` was given |
| others | yours: whatever else an exact continuation needs |

All file names below are local paths, on a POSIX file system.

Limits: each call within 2 s.

The tests look at
- numerics: a run that is stopped and resumed, or saved on its way, ends with the same bits as one that was not, for
  several optimizers and schedulers;
- behaviour: every stream of random numbers, the layout of the file, saves that fail or die half-way, files that are
  damaged, foreign or hostile, files from a machine with a GPU, refused arguments.

References: PyTorch documentation, "Serialization semantics"; Pillai et al., "All File Systems Are Not Created Equal"
(2014).
"""

### BEGIN REFERENCE ONLY
import os
import random
import zipfile

### END REFERENCE ONLY
from pathlib import Path

### BEGIN REFERENCE ONLY
import numpy as np

### END REFERENCE ONLY
import torch
from torch import nn

Scheduler = torch.optim.lr_scheduler.LRScheduler
Progress = dict[str, bool | int | float | str]


### BEGIN REFERENCE ONLY
KINDS = {
    "model": dict,
    "optimizer": dict,
    "scheduler": dict | None,
    "generator": torch.Tensor | None,
    "rng": dict,
    "progress": dict,
}


def _global_rng() -> dict:
    """The state of all global generators, as plain data: an array would need an allow-list to be read."""
    name, keys, *rest = np.random.get_state()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all(),
        "numpy": (name, keys.tolist(), *rest),
        "python": random.getstate(),
    }


def _set_global_rng(state: dict) -> None:
    torch.set_rng_state(state["torch"])
    common = min(torch.cuda.device_count(), len(state["cuda"]))
    for device in range(common):  # mutants: equivalent: without a GPU there is nothing to loop over
        torch.cuda.set_rng_state(state["cuda"][device], device)
    np.random.set_state(state["numpy"])
    random.setstate(state["python"])


def _get_state(
    optimizer: torch.optim.Optimizer, scheduler: Scheduler | None, generator: torch.Generator | None
) -> dict:
    """What the next step reads, but for the weights."""
    return {
        "optimizer": optimizer.state_dict(),
        "scheduler": None if scheduler is None else scheduler.state_dict(),
        "generator": None if generator is None else generator.get_state(),
        "rng": _global_rng(),
    }


def _set_state(
    state: dict, optimizer: torch.optim.Optimizer, scheduler: Scheduler | None, generator: torch.Generator | None
) -> None:
    _set_global_rng(state["rng"])
    if generator is not None:
        generator.set_state(state["generator"])
    optimizer.load_state_dict(state["optimizer"])
    if scheduler is not None:
        scheduler.load_state_dict(state["scheduler"])


def _read(path: Path) -> dict:
    """The content of a whole and harmless checkpoint, all tensors on the CPU."""
    try:
        # torch.load does not look at the archive's checksums: changed numbers would pass.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise ValueError("wrong checksum")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # what a damaged file raises has no common base
        raise ValueError(f"{path} is damaged or not a checkpoint: {error}") from error
    if not isinstance(content, dict) or content.keys() != KINDS.keys():
        raise ValueError(f"{path} is not a checkpoint: it should hold {', '.join(KINDS)}")
    for part, kind in KINDS.items():
        if not isinstance(content[part], kind):
            raise ValueError(f"{path} is not a checkpoint: {part!r} is a {type(content[part]).__name__}")
    return content


def _check_fits(model: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """load_state_dict has copied the tensors that fit by the time it complains about the others: ask first."""
    mine, stored = (
        {name: getattr(x, "shape", None) for name, x in state.items()} for state in (model.state_dict(), weights)
    )
    if mine != stored:
        raise ValueError(f"the checkpoint is of another model: {sorted(str(x) for x in mine.items() ^ stored.items())}")


### END REFERENCE ONLY


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
    under this name: the tests watch it), and then takes its place by a rename. Until then its name contains all of
    `path.name`, or is a random one, so that no other file is in the way. A reader who has opened the old file keeps
    reading the old one. If the save raises, at whatever moment before the rename is done (an interrupt from the
    keyboard included), the old file is as it was and no other file is left behind. After a process was killed,
    leftovers must not hinder the next save.

    Raises:
        TypeError: a key of progress is not a str, or a value is of another type than those listed; subclasses (an
            IntEnum, say) and NumPy's types (`np.float64`, `np.str_`) are other types. Nothing has been written then.
    """
    ### BEGIN SOLUTION
    progress = dict(progress or {})
    for name, value in progress.items():
        if type(name) is not str or type(value) not in (bool, int, float, str):
            raise TypeError(f"progress[{name!r}] must be a Python bool, int, float or str, not {type(value).__name__}")
    content = {
        "model": model.state_dict(),
        **_get_state(optimizer, scheduler, generator),
        "progress": progress,
    }
    # In the same folder, since a rename is atomic within one file system only.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    ### END SOLUTION


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
            other record, which torch.load alone does not notice) or not a checkpoint: an entry (yours included) is
            missing, of another kind or cannot be loaded; it would run code (which must not happen, in whatever entry
            the code hides: `pickle.loads` or `eval` of a value in the file would run it too); names or shapes of the
            model's tensors differ; the optimizer has other groups; scheduler or generator are given though they were
            not saved, or the other way round. No argument and no global generator has been changed then.
    """
    ### BEGIN SOLUTION
    content = _read(path)
    _check_fits(model, content["model"])
    for name, given in (("scheduler", scheduler), ("generator", generator)):
        if (given is None) != (content[name] is None):
            raise ValueError(f"{path} was saved {'without' if content[name] is None else 'with'} a {name}")
    before = _get_state(optimizer, scheduler, generator)
    try:
        _set_state(content, optimizer, scheduler, generator)
    except Exception as error:  # other groups, or an entry that is not what it should be: only loading it tells
        _set_state(before, optimizer, scheduler, generator)
        raise ValueError(f"{path} does not fit this run or is not a checkpoint: {error}") from error
    model.load_state_dict(content["model"])
    return content["progress"]
    ### END SOLUTION


def load_weights(path: Path, model: nn.Module) -> None:
    """Puts the weights (and buffers) of a checkpoint into `model`, on the model's device, and touches nothing else: to
    evaluate or to fine-tune, neither optimizer nor random numbers of the old run are wanted.

    Raises:
        FileNotFoundError, ValueError: as `load_checkpoint`, as far as the file and the model are concerned.
    """
    ### BEGIN SOLUTION
    weights = _read(path)["model"]
    _check_fits(model, weights)
    model.load_state_dict(weights)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
What to store: everything that the next step reads. Weights and buffers (BatchNorm's running statistics); the optimizer,
whose moments and step counts are as large as the model and without which Adam starts its bias correction again; the
scheduler; where the run is; and the random numbers. The last are what people forget: dropout draws from torch's
generator (one per device), augmentation from NumPy's or Python's, shuffling from the data loader's. A resumed run
without them is a valid run, but not the same one, so a bug that shows at step 90,000 cannot be reached again from the
checkpoint at 89,000. The state is more than the key: the legacy generators keep half of a Gaussian pair in hand.

Dying half-way: writing over the old file destroys it before the new one exists, and a crash in between leaves neither.
So write beside it, flush Python's buffer, fsync, then rename: rename is atomic within one file system (a temporary file
in /tmp may be on another one, where `shutil.move` silently copies). Without fsync the rename can reach the disk before
the data, and a power cut leaves an empty file under the good name; an fsync before the flush misses the last block.
Removing the old file first opens the very gap that the rename closes. The folder could be synced as well; without that,
the old checkpoint comes back: late, but whole.

Danger: a pickle is a program. `torch.load(weights_only=False)` runs whatever the file says, and falling back to it when
the safe reader complains means that the attacker chooses the reader. The price is that only tensors and plain
containers can be stored: the NumPy state must become numbers, and a stray `np.float64` in the metadata makes a file
that nobody can read, which is noticed months later unless the save refuses it. A state that is kept as pickled bytes or
as a repr passes the safe reader, and `pickle.loads` or `eval` then opens the door behind it.

Damage: the archive has a CRC for each record, but torch.load does not check it: a flipped bit becomes a weight. Load to
the CPU first (`map_location="cpu"`): a file remembers "cuda:3", fails on a machine without it, and a generator's state
must be a CPU tensor anyway; load_state_dict then copies to where the parameters are. And check before you copy:
load_state_dict with a wrong shape raises after it has overwritten everything that did fit, and `strict=False` does not
even raise for missing names. What only loading can tell (is this a state of that generator, of that optimizer?) is
loaded under a safety net: keep the old states, which costs nothing as an optimizer replaces its tensors instead of
filling them, and put them back if anything raises; the weights, which would need a copy, come last.

In practice: keep the last few checkpoints, write in the background from a copy, and shard for models that no one
machine holds.
"""
### END REFERENCE ONLY
