"""Public tests: run `pytest exercises/optimization/test_vanishing_gradients.py`."""

import torch

from graders.testing import assert_close, assert_refuses, assert_true


def test_outputs_of_the_three_networks(candidate):
    """Networks of one layer whose weights are all 0 show what each kind computes."""
    x = torch.tensor([[1.0, -2.0]])

    def probe(m, kind):
        model = m.DeepNet(kind, 1, 2)
        state = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
        model.load_state_dict(state | {"head.weight": torch.ones(1, 2)})
        return model(x)

    for kind, expected in (("sigmoid", 1.0), ("relu", 0.0), ("residual", -1.0)):
        result = candidate(probe, kind)
        assert_close(result, torch.tensor([[expected]]), tolerance=1e-6, what=f"the output of {kind}")


def test_norm_of_a_linear_layer(candidate):
    """The gradient of the sum of weight · x + bias is x in each row of the weight, and 1 in the bias."""
    x = torch.tensor([[3.0, 4.0]])

    def probe(m):
        model = torch.nn.Linear(2, 2)
        return m.gradient_norms(model, model(x).sum())

    # Two rows of (3, 4) and two ones: 25 + 25 + 2.
    norms = candidate(probe)
    assert_true(list(norms) == [""], f"the layers are called {list(norms)}", "the model itself holds the parameters")
    assert_close(norms[""], 52**0.5, tolerance=1e-6, what="the norm")


def test_measuring_twice(candidate, rng):
    """A second look shows the same, and no gradient is left in the parameters."""
    x = rng.normal(5, 4)

    def probe(m):
        model = m.DeepNet("relu", 3, 4, generator=torch.Generator().manual_seed(0))
        loss = model(x).square().mean()
        first, second = m.gradient_norms(model, loss), m.gradient_norms(model, loss)
        return first, second, all(p.grad is None for p in model.parameters())

    first, second, clean = candidate(probe)
    assert_true(list(first) == ["layers.0", "layers.1", "layers.2", "head"], f"the layers are {list(first)}")
    assert_true(first == second, "the second look differs from the first", "does something add up between calls?")
    assert_true(clean, "a parameter's .grad was written")


def test_diagnosis(candidate):
    """Norms that fall by 100 per layer on the way back vanish after two."""
    result = candidate(lambda m: m.diagnose({"a": 1e-6, "b": 1e-4, "c": 1e-2, "d": 1.0}))
    assert_true(result["vanished"] == ["a", "b"], f"vanished is {result['vanished']}")
    assert_close(result["rate"], 0.01, tolerance=1e-9, what="the rate")
    assert_true(result["verdict"] == "vanishing", f"the verdict is {result['verdict']}")


def test_depth_of_thirty(candidate, rng):
    """At a depth of 30 the gradient vanishes with sigmoids, and does not with ReLU or residual layers."""
    x, targets = rng.normal(32, 64), rng.normal(32, 1)

    def probe(m):
        generator = torch.Generator().manual_seed(0)
        models = {kind: m.DeepNet(kind, 30, 64, generator=generator) for kind in ("sigmoid", "relu", "residual")}
        return m.survey(models, [(x, targets)], torch.nn.functional.mse_loss)

    verdicts = {name: entry["verdict"] for name, entry in candidate(probe).items()}
    expected = {"sigmoid": "vanishing", "relu": "stable", "residual": "stable"}
    assert_true(verdicts == expected, f"the verdicts are {verdicts}")


def test_refuses_an_unknown_kind(candidate):
    """A kind that is not in the table raises ValueError."""
    assert_refuses(
        candidate,
        lambda m, kind: m.DeepNet(kind, 2, 3).training,
        valid=("relu",),
        refused=[(("tanh",), ValueError, "an unknown kind")],
    )
