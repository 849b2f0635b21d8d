"""reject behaviour: state_dict hands out the live tensors, so that later steps change the snapshot."""

import copy

import torch


class Optimizer:
    SLOTS = ()

    def __init__(self, params, foreach, **options):
        if torch.is_tensor(params):
            raise TypeError("params must be a list of tensors")
        self.params = list(params)
        if len(self.params) == 0:
            raise ValueError("no parameters")
        if not all(torch.is_tensor(p) for p in self.params):
            raise TypeError("params must be tensors")
        for key in ("lr", "momentum", "eps", "weight_decay"):
            if key in options and not options[key] >= 0:
                raise ValueError(f"{key} must not be negative")
        for share in (*options.get("betas", ()), options.get("alpha", 0)):
            if not 0 <= share < 1:
                raise ValueError("shares must be in [0, 1)")
        self.lr = options.pop("lr")
        self.options = options
        self.foreach = foreach
        self.count = [0] * len(self.params)
        self.slots = [{name: torch.zeros_like(p) for name in self.SLOTS} for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        groups = {}
        for i, p in enumerate(self.params):
            if p.grad is not None:
                self.count[i] += 1
                groups.setdefault((p.dtype, p.device, self.count[i]), []).append(i)
        for (_, _, count), members in groups.items():
            if self.foreach:
                self._step_flat(members, count)
            else:
                for i in members:
                    p = self.params[i]
                    new, slots = self.rule(p.detach(), p.grad, dict(self.slots[i]), count)
                    p.copy_(new)
                    self.slots[i] = slots

    def _step_flat(self, members, count):
        params = [self.params[i].detach() for i in members]
        flatten = lambda tensors: torch.cat([t.reshape(-1) for t in tensors])
        slots = {name: flatten([self.slots[i][name] for i in members]) for name in self.SLOTS}
        new, slots = self.rule(flatten(params), flatten([self.params[i].grad for i in members]), slots, count)
        sizes = [p.numel() for p in params]
        unflatten = lambda flat: [part.view(p.shape) for part, p in zip(flat.split(sizes), params)]
        torch._foreach_copy_(params, unflatten(new))
        for name in self.SLOTS:
            torch._foreach_copy_([self.slots[i][name] for i in members], unflatten(slots[name]))

    def state_dict(self):
        return {"lr": self.lr, "options": self.options, "count": list(self.count), "slots": self.slots}

    def load_state_dict(self, state_dict):
        state = copy.deepcopy(state_dict)
        if len(state["slots"]) != len(self.params):
            raise ValueError("another number of parameters")
        for p, slots in zip(self.params, state["slots"]):
            if any(t.shape != p.shape for t in slots.values()):
                raise ValueError("other shapes")
        self.lr, self.options, self.count, self.slots = state["lr"], state["options"], state["count"], state["slots"]


class SGD(Optimizer):
    SLOTS = ("velocity",)

    def __init__(self, params, lr=1e-3, *, momentum=0.0, nesterov=False, weight_decay=0.0, foreach=False):
        if nesterov and not momentum > 0:
            raise ValueError("nesterov needs momentum")
        super().__init__(params, foreach, lr=lr, momentum=momentum, nesterov=nesterov, weight_decay=weight_decay)

    def rule(self, x, g, slots, t):
        g = g + self.options["weight_decay"] * x
        v = self.options["momentum"] * slots["velocity"] + g
        d = g + self.options["momentum"] * v if self.options["nesterov"] else v
        return x - self.lr * d, {"velocity": slots["velocity"].copy_(v)}


class RMSProp(Optimizer):
    SLOTS = ("square",)

    def __init__(self, params, lr=1e-2, *, alpha=0.99, eps=1e-8, weight_decay=0.0, foreach=False):
        super().__init__(params, foreach, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def rule(self, x, g, slots, t):
        g = g + self.options["weight_decay"] * x
        v = self.options["alpha"] * slots["square"] + (1 - self.options["alpha"]) * g * g
        return x - self.lr * g / (v.sqrt() + self.options["eps"]), {"square": slots["square"].copy_(v)}


class Adam(Optimizer):
    SLOTS = ("mean", "square")

    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, foreach=False):
        super().__init__(params, foreach, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def rule(self, x, g, slots, t):
        return self.adam(x, g + self.options["weight_decay"] * x, slots, t)

    def adam(self, x, g, slots, t):
        b1, b2 = self.options["betas"]
        m = b1 * slots["mean"] + (1 - b1) * g
        v = b2 * slots["square"] + (1 - b2) * g * g
        m_hat, v_hat = m / (1 - b1**t), v / (1 - b2**t)
        return x - self.lr * m_hat / (v_hat.sqrt() + self.options["eps"]), {
            "mean": slots["mean"].copy_(m),
            "square": slots["square"].copy_(v),
        }


class AdamW(Adam):
    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, foreach=False):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)

    def rule(self, x, g, slots, t):
        return self.adam(x * (1 - self.lr * self.options["weight_decay"]), g, slots, t)
