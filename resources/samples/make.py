"""Train the bundled sample and write `fashion.onnx` and `fashion.npz`.

    apt-get install dataset-fashion-mnist        # or pass --data a folder with the four IDX files
    python resources/samples/make.py             # about five minutes on two cores

A small image classifier with residual, depth-wise and inverted-residual blocks, so that pruning
groups, batch-norm folding and per-tensor collapse are real. Trained on the 60,000 training pictures
of Fashion-MNIST (Zalando, MIT licence); the sample data are the first 1,000 test pictures for
evaluation and 200 training pictures, kept out of training, for calibration. Seeded: the same torch
build on the same kind of CPU writes the same files.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

HERE = Path(__file__).resolve().parent
MEAN, STD = 0.2860, 0.3530
EVALUATION, CALIBRATION = 1000, 200
CLASSES = "T-shirt,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"

# (name, kind, in, hidden, out, stride): what the network is, once, for torch and for ONNX.
BLOCKS = (
    ("stem", "plain", 1, 0, 16, 1),
    ("down1", "plain", 16, 0, 32, 2),
    ("stage1/block1", "residual", 32, 32, 32, 1),
    ("stage2/block1", "inverted", 32, 96, 64, 2),
    ("stage2/block2", "inverted", 64, 192, 64, 1),
    ("stage2/block3", "inverted", 64, 192, 64, 1),
    ("down2", "plain", 64, 0, 128, 2),
    ("stage3/block1", "inverted", 128, 384, 128, 1),
)


UnitSpec = tuple[str, int, int, int, int, int, str]


def units(name: str, kind: str, wide: tuple[int, int, int], stride: int) -> list[UnitSpec]:
    """The convolutions of a block: (name, in, out, kernel, stride, groups, activation)."""
    inputs, hidden, outputs = wide
    if kind == "plain":
        return [(name, inputs, outputs, 3, stride, 1, "Relu")]
    if kind == "residual":
        return [
            (f"{name}/conv1", inputs, hidden, 3, stride, 1, "Relu"),
            (f"{name}/conv2", hidden, outputs, 3, 1, 1, ""),
        ]
    return [
        (f"{name}/expand", inputs, hidden, 1, 1, 1, "Clip"),
        (f"{name}/depthwise", hidden, hidden, 3, stride, hidden, "Clip"),
        (f"{name}/project", hidden, outputs, 1, 1, 1, ""),
    ]


def skips(kind: str, inputs: int, outputs: int, stride: int) -> bool:
    return kind != "plain" and inputs == outputs and stride == 1


class Unit(nn.Sequential):
    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, groups: int, activation: str
    ) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        tail = {"Relu": [nn.ReLU()], "Clip": [nn.ReLU6()], "": []}[activation]
        super().__init__(conv, nn.BatchNorm2d(outputs), *tail)


class Block(nn.Module):
    def __init__(self, name: str, kind: str, inputs: int, hidden: int, outputs: int, stride: int) -> None:
        super().__init__()
        specs = units(name, kind, (inputs, hidden, outputs), stride)
        self.body = nn.Sequential(*(Unit(*spec[1:]) for spec in specs))
        self.skip, self.after = skips(kind, inputs, outputs, stride), kind == "residual"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        if self.skip:
            y = y + x
        return torch.relu(y) if self.after else y


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(Block(*block) for block in BLOCKS))
        self.head = nn.Linear(128, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.blocks(x).mean((2, 3)))


def idx(path: Path) -> np.ndarray:
    """Read an IDX file, gzipped or not."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    shape = np.frombuffer(raw, ">u4", raw[3], 4).astype(int)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


def load(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Normalized pictures (N, 1, 28, 28) float32 and labels (N,) int64."""
    pictures = idx(next(folder.glob(f"{split}-images*")))[:, None].astype(np.float32) / 255
    labels = idx(next(folder.glob(f"{split}-labels*"))).astype(np.int64)
    return ((pictures - MEAN) / STD).astype(np.float32), labels


def augmented(x: torch.Tensor) -> torch.Tensor:
    """Random flip of the batch's halves and a shift by up to two pixels."""
    x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3), x)
    dy, dx = (int(torch.randint(-2, 3, ())) for _ in range(2))
    return torch.roll(x, (dy, dx), (2, 3))


def sgd(net: nn.Module) -> torch.optim.Optimizer:
    """For convolutional networks; the rate is the peak of its one cycle."""
    return torch.optim.SGD(net.parameters(), 0.4, 0.9, weight_decay=5e-4, nesterov=True)


def train(
    net: nn.Module,
    x: np.ndarray,
    y: np.ndarray,
    epochs: int,
    optimize: Callable[[nn.Module], torch.optim.Optimizer] = sgd,
) -> nn.Module:
    """One cycle of `epochs` epochs up to the optimizer's rate and down; batch 256, labels smoothed."""
    net = net.to(memory_format=torch.channels_last)
    steps = epochs * (len(x) // 256)
    optimizer = optimize(net)
    peak = optimizer.param_groups[0]["lr"]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=steps)
    pictures, labels = torch.from_numpy(x), torch.from_numpy(y)
    for epoch in range(epochs):
        net.train()
        order = torch.randperm(len(x))
        for rows in order[: len(x) // 256 * 256].split(256):
            logits = net(augmented(pictures[rows]).contiguous(memory_format=torch.channels_last))
            loss = nn.functional.cross_entropy(logits, labels[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1}/{epochs}: loss {loss.item():.3f}", flush=True)
    return net.eval()


class Writer:
    """Writes the trained blocks as ONNX, with batch norms kept and scopes in the names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, value: np.ndarray) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, name: str, inputs: list[str], **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [f"{name}_out"], name=name, **attributes))
        return f"{name}_out"

    def unit(self, x: str, unit: UnitSpec, module: Unit) -> str:
        name, _, _, kernel, stride, groups, activation = unit
        conv, norm = module[0], module[1]
        y = self.node(
            "Conv",
            f"{name}/conv",
            [x, self.weight(f"{name}/conv.weight", conv.weight.detach().numpy())],
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[kernel // 2] * 4,
            group=groups,
        )
        values = {"scale": norm.weight, "bias": norm.bias, "mean": norm.running_mean, "var": norm.running_var}
        parts = [self.weight(f"{name}/norm.{k}", v.detach().numpy()) for k, v in values.items()]
        y = self.node("BatchNormalization", f"{name}/norm", [y, *parts], epsilon=norm.eps)
        if activation == "Clip":
            return self.node("Clip", f"{name}/relu6", [y, "zero", "six"])
        return self.node("Relu", f"{name}/relu", [y]) if activation else y

    def block(self, x: str, spec: tuple[str, str, int, int, int, int], module: Block) -> str:
        name, kind, inputs, hidden, outputs, stride = spec
        y = x
        for unit, part in zip(units(name, kind, (inputs, hidden, outputs), stride), module.body, strict=True):
            y = self.unit(y, unit, part)
        y = self.node("Add", f"{name}/add", [y, x]) if module.skip else y
        return self.node("Relu", f"{name}/relu", [y]) if module.after else y

    def model(self, net: Net) -> onnx.ModelProto:
        self.weight("zero", np.float32(0))
        self.weight("six", np.float32(6))
        y = "image"
        for spec, module in zip(BLOCKS, net.blocks, strict=True):
            y = self.block(y, spec, module)
        y = self.node("GlobalAveragePool", "head/pool", [y])
        y = self.node("Flatten", "head/flatten", [y])
        head = [self.weight("head/fc.weight", net.head.weight.detach().numpy())]
        head.append(self.weight("head/fc.bias", net.head.bias.detach().numpy()))
        self.nodes.append(helper.make_node("Gemm", [y, *head], ["logits"], name="head/fc", transB=1))
        return self.wrapped()

    def wrapped(self) -> onnx.ModelProto:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 28, 28])
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])
        graph = helper.make_graph(self.nodes, "fashion", [image], [logits], self.weights)
        made = {"producer_name": "trimtab sample", "ir_version": 10}
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], **made)
        helper.set_model_props(model, {"classes": CLASSES, "mean": str(MEAN), "std": str(STD)})
        onnx.checker.check_model(model, full_check=True)
        return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--out", type=Path, default=HERE)
    options = parser.parse_args()
    x, y = load(options.data, "train")
    tx, ty = load(options.data, "t10k")
    torch.manual_seed(20)
    net = train(Net(), x[:-CALIBRATION], y[:-CALIBRATION], options.epochs)
    with torch.no_grad():
        right = torch.cat([net(part).argmax(1) for part in torch.from_numpy(tx).split(500)]).numpy() == ty
    shipped = right[:EVALUATION].mean()
    print(f"top-1 {right.mean():.4f} on {len(ty)}, {shipped:.4f} on the shipped {EVALUATION}")
    onnx.save(Writer().model(net), options.out / "fashion.onnx")
    data = {"x": tx[:EVALUATION], "y": ty[:EVALUATION], "x_calibration": x[-CALIBRATION:]}
    np.savez_compressed(options.out / "fashion.npz", **data)


if __name__ == "__main__":
    main()
