"""Which target a CPU gets, and that what targets say of it holds together."""

from __future__ import annotations

import pytest

from studio import processor, target
from studio.graph.model import LayerFact
from studio.target import for_facts, load, names


@pytest.mark.parametrize(
    ("machine", "features", "name"),
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
def test_a_cpu_gets_its_target(machine: str, features: tuple[str, ...], name: str) -> None:
    assert for_facts(machine, features) == name
    assert name in names()


@pytest.mark.parametrize("name", names())
def test_what_a_target_lacks_has_a_reason(name: str) -> None:
    loaded = load(name)
    for op in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        rule = loaded.rule(op)
        assert rule.dynamic or rule.why_dynamic
        assert ("block" in rule.granularity) == bool(rule.blocks)
        assert 8 in rule.activations or rule.why
    assert "slower" in loaded.why_activations[16]


def test_what_a_target_extends_shines_through() -> None:
    plain, arm = load("onnxruntime-cpu"), load("onnxruntime-cpu-arm")
    assert (arm.activation_type, arm.reduce_range) == ("int8", False)
    assert (plain.rule("Conv").int8_channels, arm.rule("Conv").int8_channels) == (4, 0)
    assert arm.rule("Conv").bits == plain.rule("Conv").bits
    assert arm.ops.keys() == plain.ops.keys()


def _conv(inputs: int, outputs: int, groups: int) -> LayerFact:
    shape = (outputs, inputs // groups, 3, 3)
    return LayerFact("c", "Conv", 0, "w", None, shape, 0, 1, groups, 1, 4, None, 32, "", False)


def test_without_vnni_narrow_groups_stay_float_and_depthwise_ones_keep_their_range() -> None:
    avx2, vnni = load("onnxruntime-cpu-x86-avx2"), load("onnxruntime-cpu")
    assert avx2.rule("Conv").pays(_conv(128, 128, 4), False)
    plain, grouped, depthwise, wider = (
        _conv(64, 64, 1),
        _conv(64, 64, 4),
        _conv(64, 64, 64),
        _conv(64, 128, 64),
    )
    assert [avx2.rule("Conv").pays(each, False) for each in (plain, grouped, depthwise)] == [
        True,
        False,
        True,
    ]
    assert vnni.rule("Conv").pays(grouped, False)
    assert [avx2.reduces(each, 8) for each in (plain, depthwise, wider)] == [True, False, True]
    assert not avx2.reduces(plain, 32)
    assert not vnni.reduces(plain, 8)


def test_without_vnni_a_narrow_stem_is_int8_where_a_pool_follows() -> None:
    avx2, vnni, stem = load("onnxruntime-cpu-x86-avx2"), load("onnxruntime-cpu"), _conv(1, 32, 1)
    assert [avx2.rule("Conv").pays(stem, pooled) for pooled in (False, True)] == [False, True]
    assert not vnni.rule("Conv").pays(stem, True)  # not measured there


@pytest.mark.parametrize(
    ("machine", "cpuinfo", "words"),
    [
        (
            "x86_64",
            "processor\t: 0\nmodel name\t: Xeon\nflags\t\t: fpu avx2 avx512_vnni\n\nprocessor\t: 1\n",
            "x86-64, AVX-512 VNNI",
        ),
        ("x86_64", "flags : sse2 avx2\n", "x86-64, AVX2"),
        ("aarch64", "processor : 0\nFeatures : fp asimd asimddp\n", "ARM, dotprod"),
        ("riscv64", "", "riscv64"),
    ],
)
def test_a_processor_is_told_in_words(machine: str, cpuinfo: str, words: str) -> None:
    assert str(processor.parse(machine, cpuinfo)) == words


def test_figures_of_another_cpu_are_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    for features in ({"avx2"}, {"avx2", "avx512_vnni"}):
        found = processor.Processor("x86_64", frozenset(features))
        monkeypatch.setattr(processor, "here", lambda found=found: found)
        own, lacks = target.here().name, "avx512_vnni" not in features
        assert target.doubt(own) == ""
        assert ("would overflow" in target.doubt("onnxruntime-cpu")) == lacks
        assert "built for onnxruntime on ARM" in target.doubt("onnxruntime-cpu-arm")
