"""Public tests: run `pytest exercises/training/test_checkpointing.py`."""

import os
import pathlib

import pytest
import torch

from graders.testing import Broken, assert_close, assert_true, probe_helper


@probe_helper
def new_run(seed):
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    return {"model": model, "optimizer": optimizer}


@probe_helper
def train(run, steps):
    for _ in range(steps):
        loss = run["model"](torch.ones(5, 4)).square().mean()
        run["optimizer"].zero_grad()
        loss.backward()
        run["optimizer"].step()


@pytest.fixture
def name(rng):
    return f"{rng.seed()}.pt"


def test_resumed_run_is_the_same(candidate, name):
    """A run with dropout that is saved, rebuilt and resumed ends with the same weights as one that goes on."""

    def stop_and_resume(m):
        run, resumed = new_run(1), new_run(2)
        train(run, 3)
        m.save_checkpoint(pathlib.Path(name), **run)
        train(run, 3)
        m.load_checkpoint(pathlib.Path(name), **resumed)
        train(resumed, 3)
        return run["model"][0].weight, resumed["model"][0].weight

    weight, resumed = candidate(stop_and_resume)
    assert_close(resumed, weight, tolerance=0.0, what="a weight", hint="where does dropout get its numbers from?")


def test_progress_comes_back(candidate, name):
    """load_checkpoint returns the progress that was saved."""

    def save_and_load(m):
        m.save_checkpoint(pathlib.Path(name), **new_run(1), progress={"epoch": 3, "best": 0.25})
        return m.load_checkpoint(pathlib.Path(name), **new_run(2))

    assert_true(candidate(save_and_load) == {"epoch": 3, "best": 0.25}, "progress is not what was saved")


def test_crash_in_the_middle_of_a_save(candidate, name):
    """If the process dies in the middle of a save, the old checkpoint can still be loaded."""

    def die_half_way(m):
        class Fuse:
            def __reduce__(self):  # called when it is pickled
                os._exit(1)

        class Scheduler:
            def state_dict(self):
                return {"fuse": Fuse()}

        m.save_checkpoint(pathlib.Path(name), **new_run(2), scheduler=Scheduler(), progress={"epoch": 2})

    candidate(lambda m: m.save_checkpoint(pathlib.Path(name), **new_run(1), progress={"epoch": 1}))
    candidate(die_half_way, crash=True)
    try:
        progress = candidate(lambda m: m.load_checkpoint(pathlib.Path(name), **new_run(3)))
    except Exception as error:
        raise Broken("the old checkpoint is lost", "never write over the only good file", str(error)) from None
    assert_true(progress == {"epoch": 1}, "the old checkpoint has changed")


def test_damaged_file_is_refused(candidate, name):
    """Half a file raises ValueError, a missing one FileNotFoundError."""

    def load_half(m):
        path = pathlib.Path(name)
        m.save_checkpoint(path, **new_run(1))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        m.load_checkpoint(path, **new_run(2))

    with pytest.raises(ValueError):
        candidate(load_half)
    with pytest.raises(FileNotFoundError):
        candidate(lambda m: m.load_checkpoint(pathlib.Path("missing.pt"), **new_run(2)))


def test_code_in_a_file_is_not_run(candidate, name):
    """A file whose pickle would run code is refused, and the code does not run."""

    def load_hostile_file(m):
        class Hostile:
            def __reduce__(self):
                return os.mkdir, (name + ".ran",)

        torch.save({"model": Hostile()}, name)
        try:
            m.load_weights(pathlib.Path(name), new_run(1)["model"])
        except ValueError:
            return "refused", os.path.exists(name + ".ran")
        return "accepted", os.path.exists(name + ".ran")

    outcome, ran = candidate(load_hostile_file)
    assert_true(not ran, "loading a file has run the code in it", "which option of torch.load reads data only?")
    assert_true(outcome == "refused", "a file with code should raise ValueError")
