"""A CNN that reads handwritten digits

Interview question: "Write and train a small convolutional network on handwritten digits. What does each layer do to
the shape, what does pooling buy, and what belongs into a training loop that somebody else can rely on?"

Build `DigitCNN`, a network of two convolution blocks; `fit`, which trains it; and `predict`.

As in every `training` exercise: the same seed gives the same result, labels of the tests' own data never reach your
code, and training ends within its deadline on one core.

Limits: no data but the tests' own; `fit` on 1200 images of 10×9 pixels, with your defaults, within 30 s on one core;
every other call within 10 s.

The tests look at
- numerics: logits from given weights in evaluation and in training, image sizes that pooling does not divide, float32
  and float64, any strides, a batch of one, inputs left untouched, the first weights;
- behaviour: what a batch is and in which order it comes, the gradient that each step sees, the history, modes,
  predictions, refused arguments, and the accuracy on held-out images. The data are real digits, turned or mirrored,
  set down anywhere on a larger canvas and with other labels; the training images arrive sorted by label. At
  least 92 % of the held-out images must be right.

References: LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998); He et al., "Delving Deep
into Rectifiers" (2015), section 2.2.
"""

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
        ### BEGIN SOLUTION
        super().__init__()
        height, width = image_size
        if height < 4 or width < 4:
            raise ValueError(f"image_size must be at least (4, 4), not {image_size}: pooling twice leaves nothing")
        if num_classes < 2:
            raise ValueError(f"num_classes must be at least 2, not {num_classes}")
        if channels < 1:
            raise ValueError(f"channels must be at least 1, not {channels}")
        self.image_size = (height, width)
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(2 * channels)
        # Halving twice and rounding down each time is rounding down a quarter.
        self.head = nn.Linear(2 * channels * (height // 4) * (width // 4), num_classes)
        for layer in (self.conv1, self.conv2, self.head):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)
        ### END SOLUTION

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the classes: no softmax.

        | name | shape | dtype |
        |---|---|---|
        | images | (batch, 1, height, width) | floating, that of the parameters |
        | result | (batch, num_classes) | as images |

        Raises:
            ValueError: images of another shape.
        """
        ### BEGIN SOLUTION
        if images.ndim != 4 or tuple(images.shape[1:]) != (1, *self.image_size):
            raise ValueError(f"images must have shape (batch, 1, *{self.image_size}), not {tuple(images.shape)}")
        hidden = nn.functional.max_pool2d(torch.relu(self.norm1(self.conv1(images))), 2)
        hidden = nn.functional.max_pool2d(torch.relu(self.norm2(self.conv2(hidden))), 2)
        return self.head(hidden.flatten(1))
        ### END SOLUTION


def fit(
    model: nn.Module,
    data: tuple[torch.Tensor, torch.Tensor],
    *,
    epochs: int = 12,
    lr: float = 1e-2,
    batch_size: int = 32,
    generator: torch.Generator | None = None,
) -> dict[str, list[float]]:
    """Trains `model`, a `DigitCNN` or any other module that makes logits of images, in place.

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
    ### BEGIN SOLUTION
    images, labels = data
    if len(images) != len(labels):
        raise ValueError(f"data must hold one label per image, not {len(labels)} for {len(images)} images")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    if len(images) == 0 or epochs < 1:  # mutants: equivalent: OneCycleLR refuses a schedule without steps, too
        raise ValueError(f"there must be at least one image and one epoch, not {len(images)} and {epochs}")
    steps = epochs * -(-len(images) // batch_size)  # mutants: free: the candidate's own schedule
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps)
    history: dict[str, list[float]] = {"loss": [], "accuracy": []}
    was_training = model.training
    model.train()
    for _ in range(epochs):
        loss_sum, right = 0.0, 0
        for batch in torch.randperm(len(images), generator=generator).split(batch_size):
            logits = model(images[batch])
            loss = nn.functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            # Weighted by size: the mean of batch means overweights a smaller last batch.
            loss_sum += loss.item() * len(batch)
            right += int((logits.argmax(dim=1) == labels[batch]).sum())
        history["loss"].append(loss_sum / len(images))
        history["accuracy"].append(right / len(images))
    model.train(was_training)
    return history
    ### END SOLUTION


def predict(model: nn.Module, images: torch.Tensor, *, batch_size: int = 256) -> torch.Tensor:
    """The class with the largest logit for each image, whatever else is in its batch; `model` as in `fit`.

    Evaluation mode, no autograd graph, at most `batch_size` images at a time; the model returns in the mode in which
    it came, and otherwise unchanged. Autograd is afterwards as it was before, on or off.

    | name | shape | dtype |
    |---|---|---|
    | images | (n, 1, height, width) | floating; n may be 0 |
    | result | (n,) | int64 |

    Raises:
        ValueError: batch_size below 1.
    """
    ### BEGIN SOLUTION
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, not {batch_size}")
    was_training = model.training
    model.eval()
    with torch.no_grad():
        classes = [model(batch).argmax(dim=1) for batch in images.split(batch_size)]
    model.train(was_training)
    return torch.cat(classes)
    ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Shapes first: a 3×3 convolution with one pixel of padding keeps height and width, each 2×2 pooling halves them and
rounds down, so (10, 9) becomes (5, 4), then (2, 2), and the head sees 2·channels·2·2 features. Writing 64·2·2 into
the code works for 8×8 images and for nothing else; rounding up, or pooling once too often, shows only with sizes that
four does not divide.

A convolution shares its weights over positions, so a digit that is moved gives moved features; pooling then forgets
small moves. A linear classifier has to learn every position anew: on this canvas it stays far below the network, with
the same images. The price of the linear head is that coarse position still matters; global pooling would forget that
too.

Cross-entropy takes logits: it contains its own log-softmax. A softmax before it still trains, slowly: probabilities
lie in [0, 1], so the loss cannot fall below about 1.46 with ten classes and the gradients vanish just where the
network is wrong and sure.

Shuffling anew in every epoch makes each batch a fair sample. With data sorted by label and no shuffling every batch is
one class: each step unlearns the others, and batch norm normalises with statistics that no mixed batch has. Held-out
accuracy falls by several points while the training loss looks excellent. One order for all epochs hides even better.

What others rely on: gradients are cleared before each backward pass, or steps run on sums of old gradients; the
history is weighted by images, because the mean of batch means overweights a small last batch; prediction runs in
evaluation mode, or an answer depends on its neighbours in the batch; modes are put back; and all randomness comes
from one generator, so that a run can be repeated.
"""
### END REFERENCE ONLY
