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
        raise NotImplementedError

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the classes: no softmax.

        | name | shape | dtype |
        |---|---|---|
        | images | (batch, 1, height, width) | floating, that of the parameters |
        | result | (batch, num_classes) | as images |

        Raises:
            ValueError: images of another shape.
        """
        raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
