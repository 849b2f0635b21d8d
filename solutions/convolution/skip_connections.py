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

### BEGIN REFERENCE ONLY
from torch.nn import functional


def require_positive(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, not {size}")


def require_images(inputs: torch.Tensor, channels: int) -> None:
    if inputs.ndim != 4 or inputs.shape[1] != channels:
        raise ValueError(f"inputs must be (batch, {channels}, height, width), not {tuple(inputs.shape)}")


### END REFERENCE ONLY


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
        ### BEGIN SOLUTION
        require_positive(in_channels=in_channels, out_channels=out_channels, stride=stride)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        nn.init.zeros_(self.norm2.weight)
        if stride != 1 or out_channels != in_channels:
            self.projection = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.projection_norm = nn.BatchNorm2d(out_channels)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, ⌈height / stride⌉, ⌈width / stride⌉)."""
        ### BEGIN SOLUTION
        require_images(inputs, self.conv1.in_channels)
        hidden = torch.relu(self.norm1(self.conv1(inputs)))
        change = self.norm2(self.conv2(hidden))
        shortcut = self.projection_norm(self.projection(inputs)) if hasattr(self, "projection") else inputs
        return torch.relu(change + shortcut)
        ### END SOLUTION


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
        ### BEGIN SOLUTION
        require_positive(in_channels=in_channels, growth_rate=growth_rate, num_layers=num_layers)
        self.in_channels, self.out_channels = in_channels, in_channels + num_layers * growth_rate
        self.layers = nn.ModuleList()
        for channels in range(in_channels, self.out_channels, growth_rate):
            layer = nn.ModuleDict()
            layer["norm"] = nn.BatchNorm2d(channels)
            layer["conv"] = nn.Conv2d(channels, growth_rate, 3, padding=1, bias=False)
            self.layers.append(layer)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, height, width)."""
        ### BEGIN SOLUTION
        require_images(inputs, self.in_channels)
        features = inputs
        for layer in self.layers:
            added = layer["conv"](torch.relu(layer["norm"](features)))
            features = torch.cat([features, added], 1)
        return features
        ### END SOLUTION


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
        ### BEGIN SOLUTION
        require_positive(in_channels=in_channels, out_channels=out_channels)
        self.norm = nn.BatchNorm2d(in_channels)
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, in_channels, height, width) to (batch, out_channels, height // 2, width // 2).

        Windows do not overlap; the last row or column of an odd size is in none. Raises ValueError if height or width is 1.
        """
        ### BEGIN SOLUTION
        require_images(inputs, self.conv.in_channels)
        if min(inputs.shape[2:]) < 2:
            raise ValueError(f"inputs of height and width {tuple(inputs.shape[2:])} have no 2×2 window")
        # Means and 1×1 convolutions commute, and there are four times fewer means.
        return self.conv(functional.avg_pool2d(torch.relu(self.norm(inputs)), 2))
        ### END SOLUTION


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
        ### BEGIN SOLUTION
        require_positive(features=features, num_layers=num_layers)
        self.features = features
        self.layers = nn.ModuleList()
        for _ in range(num_layers):
            layer = nn.ModuleDict({"transform": nn.Linear(features, features), "gate": nn.Linear(features, features)})
            nn.init.constant_(layer["gate"].bias, -carry_bias)
            self.layers.append(layer)
        ### END SOLUTION

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, features) to the same shape."""
        ### BEGIN SOLUTION
        if inputs.ndim != 2 or inputs.shape[1] != self.features:
            raise ValueError(f"inputs must be (batch, {self.features}), not {tuple(inputs.shape)}")
        result = inputs
        for layer in self.layers:
            transformed = torch.relu(layer["transform"](result))
            result = torch.lerp(result, transformed, torch.sigmoid(layer["gate"](result)))
        return result
        ### END SOLUTION


### BEGIN REFERENCE ONLY
DISCUSSION = """
Depth hurts even the training loss of plain networks: gradients are products of many Jacobians, and layers that should do nothing
have to learn the identity. A residual block adds, y = x + F(x), so its Jacobian is I + F', and doing nothing is F = 0. A highway
layer gates, y = T · H(x) + (1 - T) · x: more flexible, twice the weights, and once T nears one the path is closed. A dense block
concatenates: nothing is overwritten, every layer reads all earlier features and is short-circuited to the loss, at the price
of channels that grow linearly and memory for all of them; transitions thin them out again.

How they start decides whether depth works. Highway gates begin with a negative bias, so that T is about 0.12 and signals are
carried; with bias zero, half of each signal is lost per layer, 2^-50 after fifty. For the same reason the last norm of a
residual block starts with weight zero: the block is its shortcut (up to relu), and a deep net starts shallow.

The shortcut stays an identity wherever it can. Where the shape changes, a strided 1×1 convolution with a norm of its own
projects; a projection everywhere costs weights and puts a product of matrices back on the path. The relu comes after the
addition here, so the path is not quite an identity (pre-activation blocks, v2, mend that): relu before the addition
would only ever let a block increase its inputs.

In place. out += x saves memory and is legal where nobody needs the old out: a batch norm does not need its result. relu and
sigmoid do: their derivative is computed from their result, and adding to it raises an error in backward. Worse is x += F(x):
it changes the caller's tensor, which is the shortcut of somebody else, and in evaluation no error is raised at all. Writing
change + x is never wrong.

Dense order. Norms and kernels know channels by their place. [new, old] in place of [old, new] trains as well, but loads
foreign weights without an error and computes nonsense. The channels of layer i are in_channels + i · growth_rate; a layer that
sees only the layer before it has another count, and is a plain net.

In the transition, mean and 1×1 convolution are both linear and act on different dimensions, so they can be exchanged: a
quarter of the products. That would be wrong for a maximum, or with relu between the two.
"""
### END REFERENCE ONLY
