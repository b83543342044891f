"""Train the networks that the benches run on, once, into a folder of the user's cache.

    apt-get install dataset-fashion-mnist
    python tests/bench/nets.py            # three quarters of an hour on one quiet core

Fashion-MNIST as in `resources/samples/make.py`. `spread` is the depth-wise net whose channel ranges are
multiplied by random factors 0.05–20 and divided out again behind the ReLU: the same function, but per-tensor
scales cannot hold it. The graphs come from torch's own exporter, as a user's would.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import nn

from studio.paths import cache_dir

DATA = Path("/usr/share/datasets/fashion-mnist")
CALIBRATION = 500  # training pictures kept out of training
# The depth-wise net gains a point from 12 to 30 epochs; a half-trained one hides what few bits cost.
EPOCHS = {"depthwise": 30, "transformer": 12, "residual": 12}


def sample_script() -> ModuleType:
    """`resources/samples/make.py` as a module: its data and its training loop are used here too."""
    path = Path(__file__).parents[2] / "resources" / "samples" / "make.py"
    spec = importlib.util.spec_from_file_location("make_sample", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Basic(nn.Module):
    """Two 3×3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        plain = stride == 1 and inputs == outputs
        self.short = nn.Identity() if plain else nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + self.short(x))


class Head(nn.Module):
    """Mean over the picture, then a linear classifier."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x.mean((2, 3)))


def stem(outputs: int) -> list[nn.Module]:
    """A convolution of stride 2: 28×28 to 14×14."""
    return [nn.Conv2d(1, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def residual() -> nn.Module:
    """0.73 M parameters and 11 M multiply-accumulates in five basic blocks."""
    wide = [(24, 24, 1), (24, 48, 2), (48, 112, 2), (112, 112, 1), (112, 128, 2)]
    return nn.Sequential(*stem(24), *(Basic(*each) for each in wide), Head(128))


def separable(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


def depthwise() -> nn.Module:
    """0.13 M parameters and 4 M multiply-accumulates in six separable blocks."""
    wide = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 128, 1), (128, 256, 2), (256, 160, 1)]
    return nn.Sequential(*stem(32), *(part for each in wide for part in separable(*each)), Head(160))


class Attention(nn.Module):
    """Pre-norm self-attention with four heads and a feed-forward layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def heads(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], x.shape[1], 4, x.shape[2] // 4).transpose(1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm1(x)
        q, k, v = self.heads(self.q(y)), self.heads(self.k(y)), self.heads(self.v(y))
        weights = torch.softmax(q @ k.transpose(2, 3) * (q.shape[3] ** -0.5), -1)
        x = x + self.out((weights @ v).transpose(1, 2).reshape(x.shape))
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Transformer(nn.Module):
    """Three blocks over 16 patches of 7×7: 0.6 M parameters, 10 M multiply-accumulates."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, width, 7, 7)
        self.position = nn.Parameter(torch.randn(1, 16, width) * 0.02)
        self.blocks = nn.Sequential(*(Attention(width) for _ in range(3)))
        self.norm, self.fc = nn.LayerNorm(width), nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        return self.fc(self.norm(self.blocks(tokens)).mean(1))


def spread(net: nn.Sequential) -> nn.Sequential:
    """Scale the channels between each ReLU's neighbours by 0.05–20: the function stays the same."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for index, layer in enumerate(net):
            follower = next((each for each in net[index + 1 :] if isinstance(each, nn.Conv2d)), None)
            if isinstance(layer, nn.BatchNorm2d) and follower is not None:
                size = layer.num_features
                factor = torch.exp(torch.rand(size, generator=generator) * np.log(400.0) + np.log(0.05))
                layer.weight.mul_(factor)
                layer.bias.mul_(factor)
                shape = (-1, 1, 1, 1) if follower.groups > 1 else (1, -1, 1, 1)
                follower.weight.div_(factor.reshape(shape))
    return net


def adamw(net: nn.Module) -> torch.optim.Optimizer:
    """For the transformer, which plain SGD hardly trains."""
    return torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)


BUILD: dict[str, Callable[[], nn.Module]] = {
    "depthwise": depthwise,
    "transformer": Transformer,
    "residual": residual,
}


def export(net: nn.Module, path: Path, example: torch.Tensor | None = None) -> None:
    """Write `net` as ONNX with a free batch, as torch's exporter does it; `example` has two samples.

    Opset 20: from 21 on NNCF writes files for transformers that do not open.
    """
    example = torch.zeros(2, 1, 28, 28) if example is None else example
    shapes = ({0: torch.export.Dim("batch")},)
    program = torch.onnx.export(net, (example,), dynamo=True, opset_version=20, dynamic_shapes=shapes)
    assert program is not None
    for node in program.model.graph:
        # Stack traces of Python, up to a fifth of a small file: they would weigh in the peers' files alone.
        node.metadata_props.clear()
    program.save(str(path))


def make(folder: Path, names: list[str], epochs: int | None) -> None:
    script = sample_script()
    (x, y), (tx, ty) = script.load(DATA, "train"), script.load(DATA, "t10k")
    np.savez_compressed(folder / "data.npz", x=tx, y=ty, x_calibration=x[-CALIBRATION:])
    for name in names:
        torch.manual_seed(20)
        optimize = adamw if name == "transformer" else script.sgd
        net = script.train(
            BUILD[name](), x[:-CALIBRATION], y[:-CALIBRATION], epochs or EPOCHS[name], optimize
        )
        export(net.to(memory_format=torch.contiguous_format), folder / f"{name}.onnx")
        if name == "depthwise":
            export(spread(net), folder / "spread.onnx")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=cache_dir() / "bench")
    parser.add_argument("--nets", nargs="+", choices=list(BUILD), default=list(BUILD))
    parser.add_argument("--epochs", type=int, help="for every net; default: each its own")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    make(options.out, options.nets, options.epochs)


if __name__ == "__main__":
    sys.exit(main())
