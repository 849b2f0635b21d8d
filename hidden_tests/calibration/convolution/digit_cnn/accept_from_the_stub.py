"""accept: written from the stub and the public tests alone."""

import math

import torch
from torch import nn


class DigitCNN(nn.Module):
    """conv1 → norm1 → ReLU → max pool → conv2 → norm2 → ReLU → max pool → flatten → head.

    Both convolutions are 3×3 with stride 1 and one row or column of zero padding on each side. Both norms are batch
    norms (over batch, height and width) with PyTorch's defaults. Both pools are 2×2 with stride 2 and drop a last row
    or column that has no partner. `head` is a linear layer on the flattened (channel, row, column) features.

    | argument | type | meaning |
    |---|---|---|
    | image_size | (int, int) | height and width of the images, each at least 4 |
    | num_classes | int | at least 2 |
    | channels | int | of the first block, at least 1; the second has twice as many |
    | generator | torch.Generator | draws the first weights; torch's own if None |

    | parameter or buffer | shape | at first |
    |---|---|---|
    | conv1.weight | (channels, 1, 3, 3) | normal, mean 0, standard deviation √(2 / fan_in) |
    | conv2.weight | (2·channels, channels, 3, 3) | normal, mean 0, standard deviation √(2 / fan_in) |
    | head.weight | (num_classes, features that are left) | normal, mean 0, standard deviation √(2 / fan_in) |
    | conv1.bias, conv2.bias, head.bias | (channels,), (2·channels,), (num_classes,) | zero |
    | norm1.…, norm2.… | those of `nn.BatchNorm2d` | as there |

    Raises:
        ValueError: an argument out of the range above.
    """

    def __init__(
        self,
        image_size: tuple[int, int] = (8, 8),
        num_classes: int = 10,
        *,
        channels: int = 32,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        height, width = image_size
        if min(height, width) < 4:
            raise ValueError(f"images must be at least 4×4, not {height}×{width}")
        if num_classes < 2 or channels < 1:
            raise ValueError("at least two classes and one channel are needed")
        self.image_size = (height, width)
        skip_init = nn.utils.skip_init  # draws nothing
        self.conv1 = skip_init(nn.Conv2d, 1, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = skip_init(nn.Conv2d, channels, 2 * channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(2 * channels)
        self.pool = nn.MaxPool2d(2)
        self.head = skip_init(nn.Linear, 2 * channels * (height // 4) * (width // 4), num_classes)
        with torch.no_grad():
            for layer in (self.conv1, self.conv2, self.head):
                fan_in = layer.weight[0].numel()
                layer.weight.normal_(0.0, math.sqrt(2 / fan_in), generator=generator)
                layer.bias.zero_()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the classes: no softmax.

        | name | shape | dtype |
        |---|---|---|
        | images | (batch, 1, height, width) | floating, that of the parameters |
        | result | (batch, num_classes) | as images |

        Raises:
            ValueError: images of another shape.
        """
        if images.ndim != 4 or tuple(images.shape[1:]) != (1, *self.image_size):
            raise ValueError(f"images must have the shape (batch, 1, {self.image_size}), not {tuple(images.shape)}")
        hidden = self.pool(torch.relu(self.norm1(self.conv1(images))))
        hidden = self.pool(torch.relu(self.norm2(self.conv2(hidden))))
        return self.head(hidden.flatten(1))


def fit(
    model: nn.Module,
    data: tuple[torch.Tensor, torch.Tensor],
    *,
    epochs: int = 12,
    lr: float = 1e-2,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> dict[str, list[float]]:
    """Trains `model` in place.

    In each epoch every image goes through `model(batch)` exactly once, in training mode, in batches of `batch_size`
    (the last may be smaller) and in an order that `generator` draws anew. The loss of a batch is the mean
    cross-entropy of its logits, nothing added and no image altered, and each batch is followed by one step on its own
    gradient. Optimizer, schedule (lr is its largest rate; with lr = 0 no parameter moves) and the defaults of epochs,
    lr and batch_size are yours to choose.

    | name | shape | dtype | meaning |
    |---|---|---|---|
    | data | ((n, 1, height, width), (n,)) | floating, int64 | images and labels 0 … num_classes - 1, in any order |
    | epochs, batch_size | | int | at least 1; n need not be a multiple of batch_size |
    | generator | | torch.Generator | order of the images; torch's own if None |
    | result["loss"] | list of `epochs` | float | mean loss over the n images of an epoch, each as it was in its batch |
    | result["accuracy"] | list of `epochs` | float | fraction of the n images that were right in their batch |

    The model returns in the mode, training or evaluation, in which it came.

    Raises:
        ValueError: different numbers of images and labels, no images, epochs or batch_size below 1.
    """
    images, labels = data
    count = len(images)
    if count != len(labels):
        raise ValueError(f"{count} images and {len(labels)} labels")
    if count == 0:
        raise ValueError("there are no images")
    if epochs < 1 or batch_size < 1:
        raise ValueError("epochs and batch_size must be at least 1")
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=lr)
    steps, step = epochs * math.ceil(count / batch_size), 0
    history = {"loss": [], "accuracy": []}
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.train()
        for _ in range(epochs):
            order = torch.randperm(count, generator=generator, device=generator.device if generator else None)
            total, right = 0.0, 0
            for chosen in order.to(images.device).split(batch_size):
                batch, wanted = images[chosen], labels[chosen]
                for group in optimizer.param_groups:
                    group["lr"] = lr * _share((step + 1) / steps)
                optimizer.zero_grad()
                logits = model(batch)
                loss = nn.functional.cross_entropy(logits, wanted)
                loss.backward()
                optimizer.step()
                step += 1
                total += loss.item() * len(chosen)
                right += (logits.detach().argmax(1) == wanted).sum().item()
            history["loss"].append(total / count)
            history["accuracy"].append(right / count)
    finally:
        for module, mode in modes:
            module.training = mode
    return history


def predict(model: nn.Module, images: torch.Tensor, *, batch_size: int = 256) -> torch.Tensor:
    """The class with the largest logit for each image, whatever else is in its batch.

    Evaluation mode, no autograd graph, at most `batch_size` images at a time; the model returns in the mode in which
    it came, and otherwise unchanged.

    | name | shape | dtype |
    |---|---|---|
    | images | (n, 1, height, width) | floating; n may be 0 |
    | result | (n,) | int64 |

    Raises:
        ValueError: batch_size below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    if len(images) == 0:
        return torch.empty(0, dtype=torch.int64, device=images.device)
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            return torch.cat([model(batch).argmax(1) for batch in images.split(batch_size)])
    finally:
        for module, mode in modes:
            module.training = mode


def _share(progress: float) -> float:
    """Of the largest rate: up for the first fifth, then down to almost nothing along a cosine."""
    if progress < 0.2:
        return progress / 0.2
    return 0.005 + 0.995 * 0.5 * (1 + math.cos(math.pi * (progress - 0.2) / 0.8))
