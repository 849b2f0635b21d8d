"""accept: computes in float64 from one concatenated tensor, out of place, on either path."""

import math
from collections import defaultdict

import torch


def _number(name, v, top=math.inf):
    if isinstance(v, (tuple, list)):
        return tuple(_number(name, x, top) for x in v)
    if math.isnan(v) or v < 0 or (top != math.inf and v >= top):
        raise ValueError(f"{name} out of range: {v}")
    return v


class _Base:
    names = ()

    def __init__(self, params, foreach, **opts):
        if torch.is_tensor(params):
            raise TypeError("params must be an iterable of tensors")
        self._params = [*params]
        if any(not torch.is_tensor(p) for p in self._params):
            raise TypeError("params must hold tensors")
        if not self._params:
            raise ValueError("params is empty")
        for k, v in opts.items():
            setattr(self, k, _number(k, v, 1.0 if k in ("alpha", "betas") else math.inf))
        self._keys = tuple(opts)
        self._foreach = foreach
        self._t = [0] * len(self._params)
        self._buf = {n: [None] * len(self._params) for n in self.names}

    def zero_grad(self):
        for p in self._params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        live = [i for i, p in enumerate(self._params) if p.grad is not None]
        for i in live:
            self._t[i] += 1
            for n in self.names:
                if self._buf[n][i] is None:
                    self._buf[n][i] = torch.zeros(
                        self._params[i].shape, dtype=torch.float64, device=self._params[i].device
                    )
        groups = defaultdict(list)
        for i in live:
            groups[(self._params[i].dtype, self._t[i]) if self._foreach else i].append(i)
        for idx in groups.values():
            ps = [self._params[i] for i in idx]
            flat = torch.cat([p.reshape(-1) for p in ps]).double()
            grad = torch.cat([p.grad.detach().reshape(-1) for p in ps]).double()
            sizes = [p.numel() for p in ps]
            bufs = {n: torch.cat([self._buf[n][i].reshape(-1) for i in idx]) for n in self.names}
            new, bufs = self.rule(flat, grad, bufs, self._t[idx[0]])
            torch._foreach_copy_(ps, [c.view(p.shape) for c, p in zip(new.to(ps[0].dtype).split(sizes), ps)])
            for n in self.names:
                for i, c in zip(idx, bufs[n].split(sizes)):
                    self._buf[n][i] = c.view(self._params[i].shape)

    def state_dict(self):
        return {
            "options": {k: getattr(self, k) for k in self._keys},
            "t": list(self._t),
            "buffers": {n: [None if b is None else b.clone() for b in bs] for n, bs in self._buf.items()},
        }

    def load_state_dict(self, s):
        if len(s["t"]) != len(self._t):
            raise ValueError("number of parameters")
        for bs in s["buffers"].values():
            for b, p in zip(bs, self._params):
                if b is not None and b.shape != p.shape:
                    raise ValueError("shape of a parameter")
        for k, v in s["options"].items():
            setattr(self, k, v)
        self._t = list(s["t"])
        self._buf = {n: [None if b is None else b.clone() for b in bs] for n, bs in s["buffers"].items()}


class SGD(_Base):
    names = ("v",)

    def __init__(self, params, lr=1e-3, *, momentum=0.0, nesterov=False, weight_decay=0.0, foreach=False):
        super().__init__(params, foreach, lr=lr, momentum=momentum, weight_decay=weight_decay)
        self.nesterov = nesterov
        self._keys += ("nesterov",)
        if nesterov and not momentum > 0:
            raise ValueError("nesterov needs momentum")

    def rule(self, w, g, b, t):
        g = g + self.weight_decay * w
        v = self.momentum * b["v"] + g
        d = g + self.momentum * v if self.nesterov else v
        return w - self.lr * d, {"v": v}


class RMSProp(_Base):
    names = ("s",)

    def __init__(self, params, lr=1e-2, *, alpha=0.99, eps=1e-8, weight_decay=0.0, foreach=False):
        super().__init__(params, foreach, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay)

    def rule(self, w, g, b, t):
        g = g + self.weight_decay * w
        s = self.alpha * b["s"] + (1 - self.alpha) * g * g
        return w - self.lr * g / (s.sqrt() + self.eps), {"s": s}


class Adam(_Base):
    names = ("m", "s")
    decoupled = False

    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, foreach=False):
        super().__init__(params, foreach, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def rule(self, w, g, b, t):
        if self.decoupled:
            w = w - self.lr * self.weight_decay * w
        else:
            g = g + self.weight_decay * w
        b1, b2 = self.betas
        m = b1 * b["m"] + (1 - b1) * g
        s = b2 * b["s"] + (1 - b2) * g * g
        return w - self.lr * (m / (1 - b1**t)) / ((s / (1 - b2**t)).sqrt() + self.eps), {"m": m, "s": s}


class AdamW(Adam):
    decoupled = True

    def __init__(self, params, lr=1e-3, *, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, foreach=False):
        super().__init__(params, lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach)
