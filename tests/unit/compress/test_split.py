"""Outlier split: planted outliers go beside the integer product, and nothing is touched where none are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.graph.model import Model
from studio.graph.onnx_edge import serialize
from studio.recipe.settings import Recipe, Settings

from .conftest import HERE, Builder, Net, Samples, kernels, run, sqnr

WIDTH = 48
PLANTED = [5, 21]


def planted(activation: float = 60.0, weight: float = 1.0, rank: int = 3) -> Net:
    """A Tanh-like curve with two large channels in front of two products: no layer can take those in."""
    net = Net("N", WIDTH) if rank == 2 else Net("N", 7, WIDTH)
    factors = np.ones(WIDTH, np.float32)
    factors[PLANTED] = activation
    scaled = net.op("Mul", ["x", net.array("factors", factors)], "scaled")
    source = net.op("Softplus", [net.op("Neg", [scaled], "turned")], "curve")
    for name in ("a", "b"):
        matrix = net.random.normal(0, WIDTH**-0.5, (WIDTH, 24))
        matrix[PLANTED] *= weight
        if rank == 2:
            net.op("Gemm", [source, net.array(f"{name}.w", matrix.T.astype(np.float32))], name, transB=1)
        else:
            net.op("MatMul", [source, net.array(f"{name}.w", matrix.astype(np.float32))], name)
    net.op("Concat", ["a", "b"], "y", axis=-1)
    return net


def samples(model: Model) -> tuple[Samples, Any]:
    shape = [each for each in (model.facts.inputs[0].shape or ()) if isinstance(each, int)]
    x = np.random.default_rng(2).normal(0, 1, (64, *shape)).astype(np.float32)
    return Samples("planted", x=x), x


def asked(bits: int, *repair: str) -> Recipe:
    return Recipe(target=HERE, default=Settings(bits=bits, activations=8), repair=repair)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("bits", [8, 4])
def test_planted_channels_go_beside_and_the_rest_stays_on_integers(
    make: Builder, tmp_path: Path, bits: int, rank: int
) -> None:
    model = planted(weight=1.0 if bits == 8 else 8.0, rank=rank).model("y")
    data, x = samples(model)
    reference = run(serialize(model.ir), x)
    plain, split = (make(model, asked(bits, *repair), data=data) for repair in ((), ("split",)))
    gain = sqnr(reference, run(split.path, x)) - sqnr(reference, run(plain.path, x))
    assert gain > 8
    assert split.notes[0].startswith("split 2 channels of 1 inputs of matrix products off into float")
    found = kernels(split.path, tmp_path)
    assert found["QLinearMatMul"] + found["MatMulIntegerToFloat"] + found["QGemm"] == 2
    assert found["MatMul"] + found["Gemm"] + found["FusedGemm"] == 2


def test_large_columns_of_weights_are_outliers_too(make: Builder) -> None:
    model = planted(activation=1.0, weight=40.0).model("y")
    data, x = samples(model)
    reference = run(serialize(model.ir), x)
    plain, split = (make(model, asked(4, *repair), data=data) for repair in ((), ("split",)))
    assert sqnr(reference, run(split.path, x)) > sqnr(reference, run(plain.path, x)) + 6


def test_even_channels_are_left_alone(make: Builder) -> None:
    model = planted(activation=1.0).model("y")
    plain, split = (make(model, asked(8, *r), data=samples(model)[0]) for r in ((), ("split",)))
    assert not split.notes
    assert split.sha256 == plain.sha256


def test_what_smoothing_took_in_needs_no_split(make: Builder) -> None:
    from .test_smooth import outlier_net
    from .test_smooth import samples as noise

    model = outlier_net().model("y")
    artifact = make(model, asked(8, "smooth", "split"), data=noise(model)[0])
    assert [note.partition(" ")[0] for note in artifact.notes] == ["smoothed"]


def test_two_levels_have_none_for_zero(make: Builder) -> None:
    model = planted().model("y")
    assert not make(model, asked(1, "split"), data=samples(model)[0]).notes


@pytest.mark.parametrize("bits", [3, 4])
def test_learned_rounding_and_bias_correction_work_behind_it(make: Builder, bits: int) -> None:
    model = planted(rank=2).model("y")
    data, x = samples(model)
    reference = run(serialize(model.ir), x)
    alone, all_of_them = (
        make(model, asked(bits, *repair), data=data) for repair in (("split",), ("split", "round", "bias"))
    )
    assert sqnr(reference, run(all_of_them.path, x)) >= sqnr(reference, run(alone.path, x))
