import base64
import copy
import os
import pathlib
import pickle
import random

import numpy as np
import pytest
import torch

from graders.testing import Broken, assert_true, probe_helper

pytestmark = pytest.mark.behaviour

REFUSED = "check the whole file, then what it is to be put into, and only then change anything"
PROMISED = ["model", "optimizer", "scheduler", "progress"]


# A small run. Every step draws from torch's, NumPy's and Python's generators and from the run's own.


@probe_helper
def build(seed, kind="adamw", width=8, inputs=6):
    """(model, optimizer, scheduler, generator); the global generators are left at a state that depends on the seed."""
    torch.manual_seed(seed)
    layers = torch.nn.Linear(inputs, width), torch.nn.BatchNorm1d(width), torch.nn.ReLU(), torch.nn.Dropout(0.3)
    model = torch.nn.Sequential(*layers, torch.nn.Linear(width, 3))
    parameters, schedules = model.parameters(), torch.optim.lr_scheduler
    if kind == "adamw":
        optimizer = torch.optim.AdamW(parameters, lr=1e-2, amsgrad=True)
        scheduler = schedules.CosineAnnealingLR(optimizer, T_max=7)
    elif kind == "sgd":
        optimizer = torch.optim.SGD(parameters, lr=1e-2, momentum=0.9, nesterov=True)
        scheduler = schedules.OneCycleLR(optimizer, max_lr=0.1, total_steps=40)
    elif kind == "plateau":
        optimizer = torch.optim.Adam(parameters, lr=1e-2)
        scheduler = schedules.ReduceLROnPlateau(optimizer, patience=0, factor=0.9)
    else:
        optimizer, scheduler = torch.optim.RMSprop(parameters, lr=1e-2, momentum=0.5, centered=True), None
    np.random.seed(seed)
    random.seed(seed)
    return model, optimizer, scheduler, torch.Generator().manual_seed(seed + 1)


@probe_helper
def train(run, x, y, steps, after_step=None):
    model, optimizer, scheduler, generator = run
    for _ in range(steps):
        picked = torch.randperm(len(x), generator=generator)[:8]
        noise = 0.1 * np.random.randn() + 0.1 * random.gauss(0, 1)
        loss = torch.nn.functional.cross_entropy(model(x[picked] * (1 + noise)), y[picked])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step(*([loss.item()] if hasattr(scheduler, "patience") else []))
        if after_step is not None:
            after_step()


@probe_helper
def snapshot(run):
    """A copy of everything that the next step depends on."""
    model, optimizer, scheduler, generator = run
    _, keys, *rest = np.random.get_state()
    state = {
        "the model's tensors": dict(model.state_dict()),
        "the model's mode": model.training,
        "the optimizer's state": optimizer.state_dict(),
        "the scheduler's state": None if scheduler is None else scheduler.state_dict(),
        "the state of the generator": None if generator is None else generator.get_state(),
        "the state of torch's global generator": torch.get_rng_state(),
        "the state of NumPy's global generator": (keys, *rest),
        "the state of Python's global generator": random.getstate(),
    }
    return copy.deepcopy(state)


@probe_helper
def parts(run):
    model, optimizer, scheduler, generator = run
    return {"model": model, "optimizer": optimizer, "scheduler": scheduler, "generator": generator}


@probe_helper
def outcome(call, *arguments, **keywords):
    """Names of the classes of what is raised, "accepted" if nothing is."""
    try:
        call(*arguments, **keywords)
    except BaseException as error:
        return [kind.__name__ for kind in type(error).__mro__]
    return ["accepted"]


@probe_helper
def load_everywhere(m, file, seed):
    """Offers `file` to both load functions, for a run that has made a step: (function, outcome, before, after) each."""
    evidence = []
    for name in ("load_checkpoint", "load_weights"):
        run = build(seed)
        train(run, torch.ones(8, 6), torch.arange(8) % 3, 1)
        before = snapshot(run)
        if name == "load_checkpoint":
            raised = outcome(m.load_checkpoint, file, **parts(run))
        else:
            raised = outcome(m.load_weights, file, run[0])
        evidence.append((name, raised, before, snapshot(run)))
    return evidence


@probe_helper
def save_run(m, name, seed, progress):
    """Saves a run of two steps; what it looked like, and the bytes of the file."""
    run = build(seed)
    train(run, torch.ones(8, 6), torch.arange(8) % 3, 2)
    file = pathlib.Path(name)
    m.save_checkpoint(file, **parts(run), progress=progress)
    return snapshot(run), file.read_bytes()


@probe_helper
def offer_bytes(m, name, contents, seed):
    """Writes each of `contents` to the file and offers it to both load functions."""
    evidence = []
    for content in contents:
        pathlib.Path(name).write_bytes(content)
        evidence.append(load_everywhere(m, pathlib.Path(name), seed))
    return evidence


@probe_helper
def progress_of(m, name):
    return m.load_checkpoint(pathlib.Path(name), **parts(build(0)))


@probe_helper
def own_values(content):
    """(path, value) for the values under the candidate's own keys and for all that is in them, outermost first."""
    found = [((key,), value) for key, value in content.items() if key not in PROMISED]
    for path, value in found:  # which grows on the way
        if isinstance(value, dict):
            found += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            found += [((*path, index), item) for index, item in enumerate(value)]
    return found


@probe_helper
def with_value(content, path, value):
    """A copy of `content` with `value` at `path`."""
    parents = [content]
    for step in path[:-1]:
        parents.append(parents[-1][step])
    for parent, step in zip(reversed(parents), reversed(path), strict=True):
        if isinstance(parent, dict):
            value = {**parent, step: value}
        else:
            value = type(parent)([*parent[:step], value, *parent[step + 1 :]])
    return value


@probe_helper
def failing_scheduler(fail):
    """A scheduler whose state breaks off while it is written."""

    class Fuse:
        def __reduce__(self):
            return fail()

    class Scheduler:
        def state_dict(self):
            return {"last_epoch": 1, "fuse": Fuse()}

    return Scheduler()


def assert_equal(actual, expected, what, hint=""):
    """Bit for bit, in depth; tuples and lists are alike."""
    if isinstance(expected, torch.Tensor | np.ndarray):
        same = type(actual) is type(expected) and actual.dtype == expected.dtype and actual.shape == expected.shape
        assert_true(same and bool((actual == expected).all()), f"{what} came out different", hint)
    elif isinstance(expected, dict):
        keys = isinstance(actual, dict) and actual.keys() == expected.keys()
        assert_true(keys, f"{what} has other entries", hint)
        for key in expected:
            assert_equal(actual[key], expected[key], what, hint)
    elif isinstance(expected, list | tuple):
        assert_true(
            isinstance(actual, list | tuple) and len(actual) == len(expected), f"{what} came out different", hint
        )
        for mine, wanted in zip(actual, expected, strict=True):
            assert_equal(mine, wanted, what, hint)
    else:
        assert_true(type(actual) is type(expected) and actual == expected, f"{what} came out different", hint)


def assert_same_run(actual, expected, hint=""):
    for part in expected:
        assert_equal(actual[part], expected[part], part, hint)


def assert_refused(evidence, wrong, error=ValueError):
    """Evidence of `load_everywhere`: both functions raise `error` and change nothing."""
    for name, raised, before, after in evidence:
        assert_true(raised != ["accepted"], f"{name} accepts {wrong}", REFUSED)
        assert_true(error.__name__ in raised, f"{name} should raise {error.__name__} for {wrong}", detail=raised[0])
        try:
            assert_same_run(after, before)
        except Broken as broken:
            raise Broken(f"{name} refuses {wrong}, but {broken.public}", REFUSED) from None


@pytest.fixture
def name(rng):
    return f"{rng.seed()}.pt"


@pytest.mark.numerics
@pytest.mark.points(2)
@pytest.mark.parametrize("kind", ["adamw", "sgd", "plateau", "rmsprop"])
def test_resumed_run_is_the_same_to_the_last_bit(candidate, rng, name, kind):
    """A run that is saved, rebuilt with other seeds and resumed ends with the same bits as one that never stopped."""
    x, y, seed = rng.normal(32, 6), rng.integers(0, 3, 32), rng.seed()

    def straight(_):
        run = build(seed, kind)
        train(run, x, y, 7)
        return snapshot(run)

    def first_half(m):
        run = build(seed, kind)
        train(run, x, y, 3)
        m.save_checkpoint(pathlib.Path(name), **parts(run), progress={"step": 3})
        train(run, x, y, 2)

    def second_half(m):
        run = build(seed + 1, kind)
        train(run, x, y, 1)
        progress = m.load_checkpoint(pathlib.Path(name), **parts(run))
        train(run, x, y, 7 - progress["step"])
        return snapshot(run)

    expected = candidate(straight)
    candidate(first_half)
    hint = "what does a step read that you do not restore, and are the optimizer's parameters still those of the model?"
    assert_same_run(candidate(second_half), expected, hint)


@pytest.mark.numerics
def test_saving_does_not_disturb_the_run(candidate, rng, name):
    """A run that saves after every step ends with the same bits as one that never saves."""
    x, y, seed = rng.normal(32, 6), rng.integers(0, 3, 32), rng.seed()

    def run_on(m, save):
        run = build(seed)
        after_step = (lambda: m.save_checkpoint(pathlib.Path(name), **parts(run))) if save else None
        train(run, x, y, 4, after_step)
        return snapshot(run)

    assert_same_run(candidate(run_on, True), candidate(run_on, False), hint="a save reads and changes nothing")


@pytest.mark.points(2)
@pytest.mark.parametrize("source", ["torch", "NumPy", "Python", "generator"])
def test_random_numbers_continue(candidate, rng, name, source):
    """Each source of random numbers goes on where it was: torch's, NumPy's and Python's global ones, the generator."""
    seeds = rng.seed(), rng.seed()

    def draw(generator):
        # One Gaussian each time: NumPy's and Python's legacy generators make two and keep one back.
        if source == "NumPy":
            return [np.random.randn(), np.random.rand(), int(np.random.randint(1 << 30))]
        if source == "Python":
            return [random.gauss(0, 1), random.random()]
        return [torch.randn(3, generator=generator), torch.rand(3, generator=generator)]

    def save_and_go_on(m, draw):
        model, optimizer, scheduler, own = build(seeds[0])
        generator = own if source == "generator" else None
        draw(generator)
        m.save_checkpoint(
            pathlib.Path(name), model=model, optimizer=optimizer, scheduler=scheduler, generator=generator
        )
        return draw(generator)

    def load_and_go_on(m, draw):
        model, optimizer, scheduler, own = build(seeds[1])
        generator = own if source == "generator" else None
        m.load_checkpoint(
            pathlib.Path(name), model=model, optimizer=optimizer, scheduler=scheduler, generator=generator
        )
        return draw(generator)

    expected = candidate(save_and_go_on, draw)
    hint = "the state of a generator is more than its key: a Gaussian may be kept back"
    assert_equal(candidate(load_and_go_on, draw), expected, f"what {source} draws after the load", hint)


def test_progress_comes_back(candidate, rng, name):
    """load_checkpoint returns progress as it was saved, types included, and {} if none was given."""
    full = {"epoch": 7, "best": 0.1 + 0.2, "worst": float("inf"), "name": "run", "done": False}
    for progress, expected in ((full, full), ({}, {}), (None, {})):
        candidate(save_run, name, rng.seed(), progress)
        assert_equal(candidate(progress_of, name), expected, "progress")


def test_progress_is_refused_unless_plain(candidate, rng, name):
    """Progress that is not made of Python's own numbers and strings raises TypeError, and nothing is written."""
    seed = rng.seed()
    _, old = candidate(save_run, name, seed, {"epoch": 1})

    def save_others(m):
        class Stage(int):  # as an IntEnum is
            pass

        class Title(str):
            pass

        others = [{"x": np.float64(0.5)}, {"x": np.int64(3)}, {"x": torch.tensor(3)}, {"x": [1]}, {"x": None}, {3: 1}]
        others += [{"epoch": 3, "x": (1, 2)}, {"x": Stage(3)}, {"x": Title("run")}, {Title("x"): 1}]
        raised = [outcome(m.save_checkpoint, pathlib.Path(name), **parts(build(seed)), progress=x) for x in others]
        return raised, pathlib.Path(name).read_bytes()

    raised, file = candidate(save_others)
    wrong = ["a np.float64", "a np.int64", "a tensor", "a list", "None", "a key that is no string", "a tuple"]
    wrong += ["an int of a subclass", "a str of a subclass", "a key of a subclass of str"]
    for kinds, what in zip(raised, wrong, strict=True):
        unreadable = "np" in what or "subclass" in what
        hint = "such a file could not be read back by the safe loader" if unreadable else ""
        assert_true("TypeError" in kinds, f"{what} in progress should raise TypeError", hint, kinds[0])
    assert_true(file == old, "the old file was replaced though the save was refused")


@pytest.mark.points(2)
def test_layout_of_the_file(candidate, rng, name):
    """The file is a dict that torch.load(weights_only=True) reads, without an allow-list, with the entries promised."""
    seed = rng.seed()

    def save_and_read(m):
        run = build(seed)
        train(run, torch.ones(8, 6), torch.arange(8) % 3, 2)
        expected, contents = snapshot(run), []
        for scheduler in (run[2], None):
            m.save_checkpoint(
                pathlib.Path(name), model=run[0], optimizer=run[1], scheduler=scheduler, progress={"epoch": 3}
            )
            allowed = torch.serialization.get_safe_globals()
            torch.serialization.clear_safe_globals()
            try:
                raised = outcome(lambda: contents.append(torch.load(name, weights_only=True)))
            finally:
                torch.serialization.add_safe_globals(allowed)
        keys = ("model", "optimizer", "scheduler", "progress")
        return expected, raised, [{key: content[key] for key in keys} for content in contents]

    expected, raised, contents = candidate(save_and_read)
    hint = "arrays and other objects need an allow-list; tensors, numbers, strings and containers do not"
    assert_true(raised == ["accepted"], "torch.load(path, weights_only=True) cannot read the file", hint, raised[0])
    content, without = contents
    hint = "store the state_dicts as they are"
    for key in ("model's tensors", "optimizer's state", "scheduler's state"):
        assert_equal(content[key.partition("'")[0]], expected[f"the {key}"], f"the {key} in the file", hint)
    assert_equal(content["progress"], {"epoch": 3}, "progress in the file")
    assert_true(without["scheduler"] is None, "the entry of a scheduler that was not given should be None")


@pytest.mark.points(3)
def test_code_in_a_file_is_not_run(candidate, rng, name):
    """A file whose pickle would run code is refused with ValueError, and the code does not run."""
    seed = rng.seed()
    candidate(save_run, name, seed, {"epoch": 1})

    def attack(m, where):
        marker = f"{name}.{where}"

        class Hostile:
            def __reduce__(self):
                return os.mkdir, (marker,)

        file = pathlib.Path(marker + ".pt")
        content = torch.load(name, weights_only=True)
        if where in ("progress", "legacy"):
            content["progress"] = {"epoch": Hostile()}
        elif where == "model":
            content["model"]["0.weight"] = Hostile()
        else:
            content = Hostile()
        torch.save(content, file, _use_new_zipfile_serialization=where != "legacy")
        return load_everywhere(m, file, seed), os.path.exists(marker)

    for where in ("progress", "model", "whole", "legacy"):
        evidence, ran = candidate(attack, where)
        assert_true(
            not ran, "loading a file ran the code in it", "a pickle is a program: which reader refuses to run it?"
        )
        assert_refused(evidence, "a file that holds code")


@pytest.mark.points(3)
@pytest.mark.deadline(10)
def test_code_in_entries_of_your_own_is_not_run(candidate, rng, name):
    """Code that hides in an entry of your own, as pickled bytes or as an expression, does not run either."""
    seed, marker = rng.seed(), f"{name}.ran"
    candidate(save_run, name, seed, {"epoch": 1})

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (marker,)

    pickled = pickle.dumps(Hostile(), protocol=0)  # ASCII, so that a string can hold it
    # Without builtins, since an eval that is given none is no safer.
    expression = "[x for x in ().__class__.__base__.__subclasses__() if x.__name__ == '_wrap_close'][0]"
    expression += f".__init__.__globals__['mkdir']({marker!r})"
    codes = [pickled, base64.b64encode(pickled), pickled.hex().encode(), expression.encode()]

    def attack(m):
        content, file, run = torch.load(name, weights_only=True), pathlib.Path("hostile" + name), build(seed)
        places = []
        for path, value in own_values(content):
            if isinstance(value, str):
                places.append((path, bytes.decode))
            elif isinstance(value, bytes | bytearray):
                places.append((path, type(value)))
            elif isinstance(value, torch.Tensor) and value.dtype == torch.uint8:
                places.append((path, lambda code: torch.tensor(list(code), dtype=torch.uint8)))
        for path, hide in places[:30]:
            for code in codes:
                torch.save(with_value(content, path, hide(code)), file)
                outcome(m.load_checkpoint, file, **parts(run))
                outcome(m.load_weights, file, run[0])
        return os.path.exists(marker)

    hint = "torch.load reads data only, but what do you make of the data? pickle.loads and eval run them"
    assert_true(not candidate(attack), "loading a file ran the code that an entry of your own held", hint)


@pytest.mark.points(2)
@pytest.mark.parametrize("moment", ["while it writes", "before the rename"])
def test_death_in_the_middle_of_a_save(candidate, rng, name, moment):
    """If the process dies in the middle of a save, the old file, if any, is whole, and the next save works."""
    seed = rng.seed()
    candidate(save_run, name, seed, {"epoch": 1})

    def die(m, file):
        def end(*arguments, **keywords):
            os._exit(7)

        model, optimizer, scheduler, generator = build(seed + 1)
        if moment == "while it writes":
            scheduler = failing_scheduler(end)
        else:
            os.replace = os.rename = end
        try:
            m.save_checkpoint(
                pathlib.Path(file), model=model, optimizer=optimizer, scheduler=scheduler, generator=generator
            )
        finally:
            os._exit(7)

    for file in (name, "first" + name):
        candidate(die, file, crash=True)
    there = candidate(lambda m: [os.path.exists(name), os.path.exists("first" + name)])
    hint = "never write over the only good file, and never remove it first"
    assert_true(there[0], "the old file is gone", hint)
    try:
        found = candidate(progress_of, name)
    except Exception as error:
        raise Broken("the old file cannot be loaded any more", hint, str(error)) from None
    # A save that has bound the rename to a name of its own does not die before it: then the new file is there.
    assert_true(
        found == {"epoch": 1} or (moment != "while it writes" and found == {}), "the old file has changed", hint
    )
    if moment == "while it writes":
        assert_true(not there[1], "half a file stands where no file was", hint)
    again = candidate(lambda m: outcome(save_run, m, name, seed, {"epoch": 2}))
    assert_true(again == ["accepted"], "the next save fails", "what has the killed process left behind?", again[0])
    assert_equal(candidate(progress_of, name), {"epoch": 2}, "progress of the save after the crash")


@pytest.mark.parametrize("moment", ["while it writes", "in os.fsync", "in the rename"])
@pytest.mark.parametrize("error", ["Exception", "KeyboardInterrupt"])
def test_a_save_that_raises_leaves_everything_as_it_was(candidate, rng, name, error, moment):
    """If a save raises, or is interrupted, the old file is as it was and no other file is left behind."""
    seed, folder = rng.seed(), name.removesuffix(".pt")
    candidate(lambda m: os.mkdir(folder))
    _, old = candidate(save_run, f"{folder}/run.pt", seed, {"epoch": 1})

    def fail(m):
        def stop(*arguments, **keywords):
            if error == "KeyboardInterrupt":
                raise KeyboardInterrupt
            raise ValueError("cannot be pickled") if moment == "while it writes" else OSError("no space left")

        def sync(handle):
            status = os.fstat(handle if isinstance(handle, int) else handle.fileno())
            return stop() if status.st_mode & 0o170000 == 0o100000 else real[0](handle)  # a file, not a folder

        model, optimizer, scheduler, _ = build(seed + 1)
        file, real = pathlib.Path(folder) / "run.pt", (os.fsync, os.replace, os.rename)
        if moment == "while it writes":
            scheduler = failing_scheduler(stop)
        elif moment == "in os.fsync":
            os.fsync = sync
        else:
            os.replace = os.rename = stop
        try:
            raised = outcome(m.save_checkpoint, file, model=model, optimizer=optimizer, scheduler=scheduler)
        finally:
            os.fsync, os.replace, os.rename = real
        return raised, file.read_bytes() if file.exists() else None, sorted(os.listdir(folder))

    raised, file, names = candidate(fail)
    # A save that has bound the rename to a name of its own does not fail there: then the new file is in its place.
    if raised != ["accepted"] or moment != "in the rename":
        what = "os.fsync fails, or is not called, and the save" if moment == "in os.fsync" else "a save that failed"
        assert_true(raised != ["accepted"], f"{what} says nothing", "let the error pass")
        assert_true(file == old, "the old file has changed or is gone", "write the new file beside it first")
    hint = "clean up whatever it was that went wrong, and whenever"
    assert_true(names == ["run.pt"], "a temporary file is left behind", hint)


def test_save_writes_one_file(candidate, rng, name):
    """After a save the folder holds the checkpoint and nothing else, and the new file was made in that folder."""
    seed, folder = rng.seed(), name.removesuffix(".pt")

    def save(m):
        os.mkdir(folder)
        moves, real = [], (os.replace, os.rename)

        def watch(function):
            def move(source, target, *rest, **keywords):
                moves.append([os.path.dirname(os.path.abspath(x)) for x in (source, target)])
                return function(source, target, *rest, **keywords)

            return move

        os.replace, os.rename = map(watch, real)
        try:
            for _ in range(2):
                m.save_checkpoint(pathlib.Path(folder) / "run.pt", **parts(build(seed)))
        finally:
            os.replace, os.rename = real
        return os.listdir(folder), moves

    names, moves = candidate(save)
    assert_true(names == ["run.pt"], "other files are left beside the checkpoint")
    hint = "a rename is atomic within one file system only"
    assert_true(all(a == b for a, b in moves), "the new file was made in another folder", hint)


def test_other_files_of_the_folder_stay(candidate, rng, name):
    """Checkpoints side by side in a folder do not get into each other's way, whatever their names."""
    seed, folder = rng.seed(), name.removesuffix(".pt")
    files = ["run.pt", "run.tmp", "run_tmp.pt", "run.new", "run.bak", "checkpoint.tmp", "checkpoint_tmp.pt", "temp.pt"]

    def save_all(m):
        os.mkdir(folder)
        run, before, lost = build(seed), {}, []
        for file in [*files, *files]:
            m.save_checkpoint(pathlib.Path(folder) / file, **parts(run), progress={"file": file})
            after = {other: (pathlib.Path(folder) / other).read_bytes() for other in sorted(os.listdir(folder))}
            lost += [other for other in before if other != file and after.get(other) != before[other]]
            before = after
        return lost, list(before)

    lost, names = candidate(save_all)
    hint = "which other file may have the name that the new one has before its rename?"
    assert_true(not lost, "saving one checkpoint changes or removes another one beside it", hint, str(lost[:1]))
    assert_true(names == sorted(files), "after some saves the folder does not hold the checkpoints alone", hint)
    for file in files:
        assert_equal(candidate(progress_of, f"{folder}/{file}"), {"file": file}, "progress of a file among others")


@pytest.mark.points(2)
def test_reader_of_the_old_file_keeps_it(candidate, rng, name):
    """Who has opened the old file goes on reading the old one while a new one is saved."""
    seed = rng.seed()
    _, old = candidate(save_run, name, seed, {"epoch": 1})

    def save_under_a_reader(m):
        with open(name, "rb") as reader:
            start = reader.read(100)
            m.save_checkpoint(pathlib.Path(name), **parts(build(seed + 1)), progress={"epoch": 2})
            return start + reader.read()

    hint = "the old file is written over in place: a crash there would lose both"
    assert_true(candidate(save_under_a_reader) == old, "the old file changes under its reader", hint)
    assert_equal(candidate(progress_of, name), {"epoch": 2}, "progress of the new file")


def test_file_is_on_the_disk_before_the_rename(candidate, rng, name):
    """os.fsync sees the whole new file before the rename."""
    seed = rng.seed()

    def save(m):
        events, real = [], (os.fsync, os.replace, os.rename)

        def sync(file):
            status = os.fstat(file if isinstance(file, int) else file.fileno())
            if status.st_mode & 0o170000 == 0o100000:  # a file, not a folder
                events.append(status.st_size)
            return real[0](file)

        def move(function):
            def moved(*arguments, **keywords):
                events.append("moved")
                return function(*arguments, **keywords)

            return moved

        os.fsync, os.replace, os.rename = sync, move(real[1]), move(real[2])
        try:
            m.save_checkpoint(pathlib.Path(name), **parts(build(seed, width=64)))
        finally:
            os.fsync, os.replace, os.rename = real
        return events, os.path.getsize(name)

    events, size = candidate(save)
    sizes = events[: events.index("moved")] if "moved" in events else events
    assert_true(
        any(x != "moved" for x in events),
        "os.fsync is never called on the new file",
        "a rename may reach the disk before the data",
    )
    assert_true(sizes, "os.fsync is called after the rename only", "order matters")
    assert_true(size in sizes, "os.fsync did not see the whole file", "what stands between your write and the disk?")


@pytest.mark.points(2)
@pytest.mark.deadline(10)
def test_damaged_files_are_refused(candidate, rng, name):
    """A file that is empty, cut short or overwritten is refused with ValueError, and nothing is changed."""
    seed = rng.seed()
    _, good = candidate(save_run, name, seed, {"epoch": 1})
    noise = rng.numpy.bytes(len(good))
    cut = int(rng.integers(1, len(good), 1))
    damaged = {
        "an empty file": b"",
        "half a file": good[: len(good) // 2],
        "a file cut short": good[:cut],
        "a file without its last byte": good[:-1],
        "a file of noise": noise,
        "a file whose second half is zeros": good[: len(good) // 2] + bytes(len(good) - len(good) // 2),
        "a text file": b"epoch 1\n",
    }
    for (wrong, _), evidence in zip(
        damaged.items(), candidate(offer_bytes, name, list(damaged.values()), seed), strict=True
    ):
        assert_refused(evidence, wrong)


@pytest.mark.points(3)
def test_changed_bytes_are_noticed(candidate, rng, name):
    """A single changed byte in a stored tensor is noticed: the file is refused with ValueError."""
    seed = rng.seed()
    saved, good = candidate(save_run, name, seed, {"epoch": 1})
    moments = saved["the optimizer's state"]["state"][0]["exp_avg"]
    damaged = []
    for tensor in (saved["the model's tensors"]["0.weight"], moments):
        content = tensor.numpy().tobytes()
        start = good.find(content)
        assert_true(start >= 0, "the tensors of the run are not in the file", "store the state_dicts as they are")
        position = start + int(rng.integers(0, len(content), 1))
        damaged.append(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
    for evidence in candidate(offer_bytes, name, damaged, seed):
        assert_refused(evidence, "a file with a changed byte")


@pytest.mark.deadline(10)
def test_changed_bytes_elsewhere_do_no_harm(candidate, rng, name):
    """Whichever byte of the stored data changes: the file is refused with ValueError, or loads as it was saved."""
    seed = rng.seed()
    _, good = candidate(save_run, name, seed, {"epoch": 1})
    records = good.find(b"PK\x01\x02")  # after them stands the archive's directory, which no checksum covers
    positions = sorted({int(x) for x in rng.integers(0, records, 12)})
    damaged = [good[:i] + bytes([good[i] ^ (1 << int(rng.integers(0, 8, 1)))]) + good[i + 1 :] for i in positions]
    (control, *_), *rest = candidate(offer_bytes, name, [good, *damaged], seed)
    assert_true(control[1] == ["accepted"], "load_checkpoint refuses a whole file", detail=control[1][0])
    for evidence, *_ in rest:
        if evidence[1] == ["accepted"]:
            assert_same_run(evidence[3], control[3], hint="the file was damaged and accepted, with other content")
        else:
            assert_refused([evidence], "a file with a changed byte")


def test_other_files_are_refused(candidate, rng, name):
    """A file of torch.save that is not a checkpoint is refused with ValueError, and nothing is changed."""
    seed = rng.seed()
    candidate(save_run, name, seed, {"epoch": 1})

    def offer(m, wrong):
        content = torch.load(name, weights_only=True)
        if wrong in content:
            del content[wrong]
        else:
            content = {"weights": content["model"], "list": [content], "number": 3}[wrong]
        torch.save(content, "other" + name)
        return load_everywhere(m, pathlib.Path("other" + name), seed)

    for wrong in ("optimizer", "scheduler", "progress"):
        assert_refused(
            candidate(offer, wrong)[:1], f"a checkpoint without {wrong!r}"
        )  # load_weights needs none of these
    assert_refused(candidate(offer, "model"), "a checkpoint without 'model'")
    for wrong in ("weights", "list", "number"):
        assert_refused(candidate(offer, wrong), f"a file that holds something else ({wrong})")


@pytest.mark.points(2)
@pytest.mark.deadline(10)
def test_entries_of_another_kind_are_refused(candidate, rng, name):
    """A promised entry that holds another kind of thing is refused with ValueError, and nothing is changed."""
    seed = rng.seed()
    candidate(save_run, name, seed, {"epoch": 1})

    def offer(m):
        content, file, evidence = torch.load(name, weights_only=True), pathlib.Path("other" + name), []
        for part in PROMISED:
            for other in (3, [1], {}) if part in ("model", "optimizer") else (3, [1]):
                torch.save({**content, part: other}, file)
                found = load_everywhere(m, file, seed)
                # load_weights needs the model only.
                evidence.append((part, type(other).__name__, found if part == "model" else found[:1]))
        return evidence

    for part, kind, evidence in candidate(offer):
        assert_refused(evidence, f"a file with {'an empty' if kind == 'dict' else 'a'} {kind} as its entry {part!r}")


@pytest.mark.points(2)
@pytest.mark.deadline(10)
def test_entries_of_your_own_are_needed(candidate, rng, name):
    """A file whose entries of your own are missing or cannot be loaded is refused with ValueError, nothing changed."""
    seed = rng.seed()
    candidate(save_run, name, seed, {"epoch": 1})

    def offer(m):
        content, file = torch.load(name, weights_only=True), pathlib.Path("other" + name)
        offers = [("", content), ("without any entry of your own", {part: content[part] for part in PROMISED})]
        for path, value in own_values(content):
            if len(path) == 1:
                without = {key: entry for key, entry in content.items() if key != path[0]}
                offers.append(("without an entry of your own", without))
                offers += [("with an entry of your own of another kind", {**without, path[0]: x}) for x in ({}, 3)]
            if isinstance(value, dict):
                for lost in value:
                    less = {key: item for key, item in value.items() if key != lost}
                    offers.append(("without a part of an entry of your own", with_value(content, path, less)))
        evidence = []
        for wrong, changed in offers[:40]:
            torch.save(changed, file)
            evidence.append((wrong, load_everywhere(m, file, seed)[:1]))  # load_weights needs the model only
        return evidence

    (_, (control,)), (bare, nothing), *rest = candidate(offer)
    assert_true(control[1] == ["accepted"], "load_checkpoint refuses a whole file", detail=control[1][0])
    assert_refused(nothing, f"a file {bare}")
    for wrong, evidence in rest:
        # Some things can be done without: the states of GPUs that this machine lacks, a version number.
        if evidence[0][1] == ["accepted"]:
            assert_same_run(evidence[0][3], control[3], hint=f"a file {wrong} was accepted and loads as something else")
        else:
            assert_refused(evidence, f"a file {wrong}")


def test_missing_file(candidate, rng, name):
    """A file that does not exist raises FileNotFoundError."""
    seed = rng.seed()
    evidence = candidate(lambda m: load_everywhere(m, pathlib.Path(name), seed))
    assert_refused(evidence, "a file that does not exist", FileNotFoundError)


@pytest.mark.points(2)
def test_checkpoint_of_another_model_is_refused(candidate, rng, name):
    """Names or shapes that differ from the model's raise ValueError, and not a single tensor has been loaded then."""
    seed = rng.seed()

    def offer(m, wrong):
        file, run = pathlib.Path(name), build(seed)
        saved = list(build(seed))
        if wrong == "more layers than the file":
            run[0].append(torch.nn.Linear(3, 3))
        elif wrong == "fewer layers than the file":
            saved[0].append(torch.nn.Linear(3, 3))
        elif wrong == "another shape in the last layer":
            run[0][4] = torch.nn.Linear(8, 5)
        else:
            saved[0][4] = torch.nn.Linear(1, 3)
        # The optimizers know one parameter each, so that it is the model that does not fit.
        saved[1], optimizer = (torch.optim.SGD([model[0].weight], lr=0.1) for model in (saved[0], run[0]))
        m.save_checkpoint(file, **parts(saved))
        with torch.no_grad():
            run[0][0].weight.mul_(2)
        mine = (run[0], optimizer, *run[2:])
        evidence = []
        for function in ("load_checkpoint", "load_weights"):
            before = snapshot(mine)
            if function == "load_checkpoint":
                raised = outcome(m.load_checkpoint, file, **parts(mine))
            else:
                raised = outcome(m.load_weights, file, mine[0])
            evidence.append((function, raised, before, snapshot(mine)))
        return evidence

    for wrong in (
        "more layers than the file",
        "fewer layers than the file",
        "another shape in the last layer",
        "a shape that broadcasts",
    ):
        assert_refused(candidate(offer, wrong), f"a model with {wrong}")


@pytest.mark.points(2)
def test_parts_that_do_not_fit_are_refused(candidate, rng, name):
    """Other parameter groups, a scheduler or a generator on one side only raise ValueError, and nothing is changed."""
    seed = rng.seed()

    def offer(m, wrong, side):
        stored, mine = build(seed), list(build(seed + 1))
        if wrong == "groups":
            mine[1].add_param_group({"params": [torch.nn.Parameter(torch.ones(2))]})
            m.save_checkpoint(pathlib.Path(name), **parts(stored))
        else:
            lacking = {wrong: None}
            m.save_checkpoint(pathlib.Path(name), **(parts(stored) | (lacking if side == "file" else {})))
            mine[2 if wrong == "scheduler" else 3] = None if side == "call" else mine[2 if wrong == "scheduler" else 3]
        before = snapshot(mine)
        raised = outcome(m.load_checkpoint, pathlib.Path(name), **parts(mine))
        return [("load_checkpoint", raised, before, snapshot(mine))]

    assert_refused(candidate(offer, "groups", "call"), "an optimizer with other groups")
    for part in ("scheduler", "generator"):
        assert_refused(candidate(offer, part, "call"), f"a file with a {part} and a call without")
        assert_refused(candidate(offer, part, "file"), f"a call with a {part} and a file without")


@pytest.mark.points(2)
def test_file_from_a_gpu(candidate, rng, name):
    """A file whose tensors were on a GPU that this machine may lack loads into a model on the CPU."""
    seed = rng.seed()

    def save_as_if_on_a_gpu(m):
        real, run = torch.serialization.location_tag, build(seed)
        train(run, torch.ones(8, 6), torch.arange(8) % 3, 2)
        torch.serialization.location_tag = lambda storage: "cuda:0"
        try:
            m.save_checkpoint(pathlib.Path(name), **parts(run))
        finally:
            torch.serialization.location_tag = real
        return snapshot(run)

    saved = candidate(save_as_if_on_a_gpu)
    hint = "a file remembers the device of each tensor"

    def load(m):
        run, alone = build(seed + 1), build(seed + 1)
        raised = outcome(m.load_checkpoint, pathlib.Path(name), **parts(run))
        raised_alone = outcome(m.load_weights, pathlib.Path(name), alone[0])
        return [("load_checkpoint", raised, snapshot(run)), ("load_weights", raised_alone, snapshot(alone))]

    for function, raised, loaded in candidate(load):
        assert_true(raised == ["accepted"], f"{function} fails", hint, raised[0])
        assert_equal(loaded["the model's tensors"], saved["the model's tensors"], "the model's tensors")
        if function == "load_checkpoint":
            assert_equal(loaded["the optimizer's state"], saved["the optimizer's state"], "the optimizer's state")


@pytest.mark.points(2)
def test_weights_alone(candidate, rng, name):
    """load_weights fills weights and buffers of the model, keeps its mode, and touches no generator."""
    seed = rng.seed()
    saved, _ = candidate(save_run, name, seed, {"epoch": 1})

    def load(m):
        run = build(seed + 1)
        run[0].eval()
        before = snapshot(run)
        m.load_weights(pathlib.Path(name), run[0])
        return before, snapshot(run)

    before, after = candidate(load)
    part = "the model's tensors"
    assert_equal(after[part], saved[part], part)
    assert_same_run({**after, part: None}, {**before, part: None}, hint="the weights, and nothing but the weights")


def test_modes_stay_as_they_are(candidate, rng, name):
    """Saving and loading leave the mode of every layer as it is, whatever the mode of the run that was saved."""
    seed = rng.seed()

    def save_and_load(m, training):
        def modes():
            return [layer.training for layer in run[0].modules()]

        run, file, evidence = build(seed), pathlib.Path(name), []
        for call in ("save_checkpoint", "load_checkpoint", "load_weights"):
            run[0].train(training)
            run[0][1].train(not training)  # a layer that is frozen alone, or not
            before = modes()
            getattr(m, call)(file, **({"model": run[0]} if call == "load_weights" else parts(run)))
            evidence.append((call, before, modes()))
            training = not training
        return evidence

    for training in (True, False):
        for call, before, after in candidate(save_and_load, training):
            assert_true(after == before, f"{call} changes the mode of a layer", "train() and eval() are the caller's")


@pytest.mark.cuda
def test_run_on_a_gpu(candidate, rng, name):
    """A resumed run is the same on CUDA too, its tensors stay there, and a model on the CPU can take the weights."""
    x, y, seed = rng.normal(32, 6), rng.integers(0, 3, 32), rng.seed()

    def run_on_cuda(m):
        def fresh(seed):
            model, _, _, generator = build(seed)
            optimizer = torch.optim.AdamW(model.cuda().parameters(), lr=1e-2)
            torch.cuda.manual_seed(seed)
            return model, optimizer, torch.optim.lr_scheduler.StepLR(optimizer, 2), generator

        def end(run):
            devices = {x.device.type for x in run[0].state_dict().values()}
            devices |= {state["exp_avg"].device.type for state in run[1].state_dict()["state"].values()}
            return snapshot(run), torch.cuda.get_rng_state(), sorted(devices)

        run = fresh(seed)
        train(run, x.cuda(), y.cuda(), 3)
        m.save_checkpoint(pathlib.Path(name), **parts(run))
        train(run, x.cuda(), y.cuda(), 3)
        expected = end(run)
        resumed, alone = fresh(seed + 1), build(seed + 1)[0]
        m.load_checkpoint(pathlib.Path(name), **parts(resumed))
        train(resumed, x.cuda(), y.cuda(), 3)
        m.load_weights(pathlib.Path(name), alone)
        return expected, end(resumed), str(alone[0].weight.device)

    (expected, state, _), (run, resumed_state, devices), alone = candidate(run_on_cuda)
    assert_same_run(run, expected)
    assert_equal(resumed_state, state, "the state of the CUDA generator")
    assert_true(devices == ["cuda"] and alone == "cpu", "tensors are not where the model is")
