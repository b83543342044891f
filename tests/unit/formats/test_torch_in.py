from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from studio.errors import ModelError
from studio.formats.onnx_in import open_model
from studio.formats.sniff import kind_of
from studio.graph.onnx_edge import serialize


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path / "home"))


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def archive(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as out:
        for name, content in entries.items():
            out.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.bin"])
def test_a_pickled_module_is_refused_and_never_unpickled(tmp_path: Path, name: str) -> None:
    trap = tmp_path / "trap"
    path = archive(tmp_path / name, {"m/data.pkl": pickle.dumps(Evil(trap)), "m/version": b"3"})
    with pytest.raises(ModelError, match=r"torch\.export\.save"):
        open_model(path)
    assert not trap.exists()


def test_a_bare_pickle_is_refused(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    (tmp_path / "m.pt").write_bytes(pickle.dumps(Evil(trap)))
    with pytest.raises(ModelError, match="pickle"):
        open_model(tmp_path / "m.pt")
    assert not trap.exists()


@pytest.mark.slow
def test_a_zip_bomb_is_told_by_its_table_of_contents(tmp_path: Path) -> None:
    entries = {"m/archive_format": b"pt2", "m/data/weights/weight_0": bytes(200 << 20)}
    path = archive(tmp_path / "m.pt2", entries, zipfile.ZIP_DEFLATED)
    assert kind_of(path) == "pt2"
    with pytest.raises(ModelError, match="inflate"):
        open_model(path)


def test_a_missing_torch_is_named_with_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    path = archive(tmp_path / "m.pt2", {"m/archive_format": b"pt2"})
    with pytest.raises(ModelError, match=r"pip install 'trimtab\[torch\]'"):
        open_model(path)


@pytest.fixture
def net():
    torch = pytest.importorskip("torch", reason="the torch extra is not installed")
    torch.manual_seed(0)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 8, 3)
            self.fc = torch.nn.Linear(8, 5)

        def forward(self, x):
            return self.fc(torch.relu(self.conv(x)).mean((2, 3)))

    return Net().eval()


def outputs(model, x: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(serialize(model.ir), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


@pytest.mark.slow
def test_pt2_opens_with_a_free_batch_axis_and_equal_outputs(tmp_path: Path, net) -> None:
    import torch

    x = torch.randn(1, 3, 16, 16)
    torch.export.save(torch.export.export(net, (x,)), tmp_path / "m.pt2")
    model = open_model(tmp_path / "m.pt2")
    assert (model.facts.format, model.facts.path) == ("pt2", str(tmp_path / "m.pt2"))
    assert model.facts.inputs[0].shape == ("batch", 3, 16, 16)
    assert any("code" in note for note in model.facts.notes)
    many = torch.randn(5, 3, 16, 16)
    np.testing.assert_allclose(outputs(model, many.numpy()), net(many).detach().numpy(), atol=1e-5)
    assert open_model(tmp_path / "m.pt2").facts == model.facts


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_torchscript_opens_and_says_that_its_shape_was_found(tmp_path: Path, net) -> None:
    import torch

    torch.jit.save(torch.jit.trace(net, torch.randn(1, 3, 16, 16)), tmp_path / "m.pt")
    model = open_model(tmp_path / "m.pt")
    assert model.facts.format == "torchscript"
    assert any("TorchScript states no input shape" in note for note in model.facts.notes)
    assert len(model.facts.layers) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_torchscript_takes_stated_shapes(tmp_path: Path, net) -> None:
    import torch

    torch.jit.save(torch.jit.trace(net, torch.randn(1, 3, 16, 16)), tmp_path / "m.pt")
    (tmp_path / "m.inputs.json").write_text('[{"shape": [1, 3, 20, 24]}]')
    assert open_model(tmp_path / "m.pt").facts.inputs[0].shape == ("batch", 3, 20, 24)


@pytest.mark.slow
def test_code_in_a_pt2_cannot_leave_its_box(tmp_path: Path, net) -> None:
    import torch

    good, bad, trap = tmp_path / "good.pt2", tmp_path / "bad.pt2", tmp_path / "trap"
    torch.export.save(torch.export.export(net, (torch.randn(1, 3, 16, 16),)), good)
    entries = {}
    with zipfile.ZipFile(good) as source:
        for name in source.namelist():
            entries[name] = source.read(name)
    inner = tmp_path / "inner.pt"
    torch.save(Evil(trap), inner)
    place = next(name for name in entries if "sample_inputs" in name)
    entries[place] = inner.read_bytes()
    with pytest.raises(ModelError) as caught:
        open_model(archive(bad, entries))
    assert caught.value.thing == str(bad)
    assert not trap.exists()
