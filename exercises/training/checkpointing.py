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

from pathlib import Path

import torch
from torch import nn

Scheduler = torch.optim.lr_scheduler.LRScheduler
Progress = dict[str, bool | int | float | str]


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
    raise NotImplementedError


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
    raise NotImplementedError


def load_weights(path: Path, model: nn.Module) -> None:
    """Puts the weights (and buffers) of a checkpoint into `model`, on the model's device, and touches nothing else: to
    evaluate or to fine-tune, neither optimizer nor random numbers of the old run are wanted.

    Raises:
        FileNotFoundError, ValueError: as `load_checkpoint`, as far as the file and the model are concerned.
    """
    raise NotImplementedError
