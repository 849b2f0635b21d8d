"""Residual, dense and highway blocks

Interview question: "Three ways to let a signal pass a layer unchanged: write a residual block with a projection, a dense block
with its transition, and a highway network. What is added, what is concatenated, what is gated, and how does each of them
start?"

Build four modules: `ResidualBlock`, `DenseBlock` and `Transition` for images of shape (batch, channels, height, width), and
`Highway` for vectors.

As in every `module` exercise: parameters and buffers have the names and shapes of the table (tests load weights with
`load_state_dict`), the module follows `.to(dtype)`, `train()` and `eval()`, and inputs are left untouched.

In all modules, convolutions are `nn.Conv2d` without bias, norms `nn.BatchNorm2d` with its defaults (two parameters, three
buffers; batch statistics in training, running ones in evaluation, which each training call moves on once); initial values are
theirs, and those of `nn.Linear`, where the tables give no other. ValueError is raised for a size below 1 in a constructor, and
for inputs of another number of dimensions or channels (features) than the module has. There are no other parameters or
buffers. Dtypes are float32 and float64.

Limits: each call within 2 s.

The tests look at
- numerics: results of all modules in training and evaluation, strides, projections, growth, odd sizes, memory that is not
  contiguous, refused arguments;
- gradients: to inputs and all parameters, also where something else in the graph still needs the inputs or the result;
- behaviour: names, shapes and initial values, running statistics, what deep stacks do before any training.

References: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (2016); Huang, Liu, van der Maaten, Weinberger,
"Densely Connected Convolutional Networks" (2017); Srivastava, Greff, Schmidhuber, "Highway Networks" (2015); Goyal et al.,
"Accurate, Large Minibatch SGD" (2017), section 5.1.
"""

import torch
from torch import nn


class ResidualBlock(nn.Module):
    """relu(norm2(conv2(relu(norm1(conv1(inputs))))) + shortcut), where shortcut is inputs or their projection.

    | submodule | is |
    |---|---|
    | conv1, norm1 | 3×3 from in_channels to out_channels with padding 1 and the given stride |
    | conv2, norm2 | 3×3 from out_channels to out_channels with padding 1; norm2.weight starts at zeros |
    | projection, projection_norm | 1×1 from in_channels to out_channels with the given stride, and its norm |

    The last row is there only where shapes change, that is, if stride is not 1 or out_channels not in_channels; shortcut is then
    projection_norm(projection(inputs)).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, ⌈height / stride⌉, ⌈width / stride⌉)."""
        raise NotImplementedError


class DenseBlock(nn.Module):
    """Layers that each add growth_rate channels, and see the inputs and what all layers before them added.

    | submodule | is |
    |---|---|
    | layers.i.norm | a norm of all channels there are before layer i: in_channels + i · growth_rate |
    | layers.i.conv | 3×3 from these to growth_rate channels, padding 1 |

    for i = 0 … num_layers - 1. Layer i is conv(relu(norm(features))). Channels stand in the order in which they came about: the
    inputs', then those of layer 0, then those of layer 1, and so on, for every layer as well as in the result. The attribute
    out_channels is the number of channels of the result.
    """

    def __init__(self, in_channels: int, growth_rate: int, num_layers: int) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, height, width)."""
        raise NotImplementedError


class Transition(nn.Module):
    """Between two dense blocks: other channels, half the height and width.

    The result is the mean of each 2×2 window of conv(relu(norm(inputs))).

    | submodule | is |
    |---|---|
    | norm | a norm of in_channels |
    | conv | 1×1 from in_channels to out_channels |
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, height // 2, width // 2).

        Windows do not overlap; the last row or column of an odd size is in none. Raises ValueError if height or width is 1.
        """
        raise NotImplementedError


class Highway(nn.Module):
    """Layers that mix what they compute with what they got, number by number:

    gate = sigmoid(Linear of the layer's inputs)
    result = gate · relu(another Linear of them) + (1 - gate) · inputs

    | submodule | is | initial values |
    |---|---|---|
    | layers.i.transform | `nn.Linear` from features to features, inside relu | its own |
    | layers.i.gate | the same, inside sigmoid | bias: all -carry_bias |

    for i = 0 … num_layers - 1, one after the other. carry_bias is any float.
    """

    def __init__(self, features: int, num_layers: int, carry_bias: float = 2.0) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, features) to the same shape."""
        raise NotImplementedError
