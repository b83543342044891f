"""Which target a CPU gets, and that what targets say of it holds together."""

from __future__ import annotations

import pytest

from studio.target import for_facts, load, names


@pytest.mark.parametrize(
    ("machine", "features", "target"),
    [
        ("x86_64", ("avx2", "avx512_vnni"), "onnxruntime-cpu"),
        ("x86_64", ("avx2", "avx_vnni"), "onnxruntime-cpu"),
        ("AMD64", ("avx2", "avx512f"), "onnxruntime-cpu-x86-avx2"),
        ("x86_64", (), "onnxruntime-cpu-x86-avx2"),
        ("aarch64", ("asimd", "asimddp"), "onnxruntime-cpu-arm"),
        ("armv7l", ("neon",), "onnxruntime-cpu-arm"),
        ("riscv64", (), "onnxruntime-cpu"),
    ],
)
def test_a_cpu_gets_its_target(machine: str, features: tuple[str, ...], target: str) -> None:
    assert for_facts(machine, features) == target
    assert target in names()


@pytest.mark.parametrize("name", names())
def test_what_a_target_lacks_has_a_reason(name: str) -> None:
    target = load(name)
    for op in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        rule = target.rule(op)
        assert rule.dynamic or rule.why_dynamic
        assert ("block" in rule.granularity) == bool(rule.blocks)
        assert 8 in rule.activations or rule.why
    assert "slower" in target.why_activations[16]
