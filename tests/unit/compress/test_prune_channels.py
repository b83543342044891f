"""Pruned networks against masked ones, run for real, over every pattern in which channels couple."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from studio.compress.pruning import rebuild, rows
from studio.compress.pruning.channels import prune_channels
from studio.control import Cancelled, Control
from studio.graph.onnx_edge import facts_of, serialize
from studio.recipe.resolve import resolve
from studio.recipe.settings import Criterion, Recipe, Rule, Settings

from .prune_nets import (
    GIVEN,
    PATTERNS,
    SIZE,
    TARGET,
    Net,
    Program,
    Tensor,
    attention,
    build,
    chain,
    check,
    flattened,
    head,
    multiplied,
    parted,
    prune,
    residual,
    run,
    upsampled,
)


@pytest.mark.parametrize("name", PATTERNS)
def test_each_pattern_equals_its_masked_twin(name: str) -> None:
    pruned = check(PATTERNS[name])
    assert pruned.sparsity


@pytest.mark.parametrize("opset", [11, 13, 18, 20])
def test_split_and_its_kind_in_every_spelling_of_the_standard(opset: int) -> None:
    for program in (parted, flattened("zero"), multiplied):
        assert check(program, opset=opset).sparsity


def test_everything_but_the_output_layer_loses_what_was_asked() -> None:
    pruned = check(residual)
    assert sorted(pruned.sparsity.values()) == [0.5, 0.5, 0.5]


def test_a_residual_keeps_the_same_channels_on_both_sides() -> None:
    _, facts, pruned = prune(build(residual), 0.3)
    pair = next(group for group in facts.groups if len(group.members) == 2)
    assert len({pruned.kept[name] for name in pair.members}) == 1


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Random networks: a stem, up to five random blocks, a random head."""
    width = st.integers(2, 12)
    blocks = draw(st.lists(st.tuples(st.integers(0, len(BLOCKS) - 1), width, width), min_size=1, max_size=5))
    end = draw(st.sampled_from(["head", "Flatten", "open", "zero", "computed"]))

    def program(net: Net, x: Tensor) -> Tensor:
        x = net.conv(x, 2 * draw_width, 3)
        for kind, a, b in blocks:
            x = BLOCKS[kind](net, x, a, b)
        return head(net, x) if end == "head" else net.gemm(net.flat(x, end), 3)

    draw_width = draw(width)
    return program


def two_branches(net: Net, x: Tensor, a: int, b: int) -> Tensor:
    return net.concat(net.conv(x, a), x, net.same("Tanh", net.conv(x, b)))


def half_worked(net: Net, x: Tensor, a: int) -> Tensor:
    first, second = net.split(x, x.channels // 2)
    return net.concat(net.same("Relu", first), net.conv(second, 2 * a))


def gated_halves(net: Net, x: Tensor, a: int) -> Tensor:
    first, second = net.split(net.conv(x, 2 * a), a)
    return net.both("Mul", first, net.same("Sigmoid", second))


def product_of_slices(net: Net, x: Tensor) -> Tensor:
    n = x.channels
    return net.both("Mul", net.run_of(x, 0, n // 2), net.run_of(x, n - n // 2, n)) if n > 3 else x


def depthwise_block(net: Net, x: Tensor, a: int) -> Tensor:
    n = x.channels
    x = net.batch_norm(net.conv(x, n * (1 + a % 2), 3, group=n))
    return net.same("Clip", x, net.constant(np.array(0, np.float32)))


def even(net: Net, x: Tensor) -> Tensor:
    return x if x.channels % 2 == 0 else net.conv(x, x.channels + 1)


def mixed_up(net: Net, x: Tensor, a: int) -> Tensor:
    n = x.channels
    return net.picked(x, [(place * 7 + a) % n for place in range(n)] + [a % n])


BLOCKS: tuple[Callable[[Net, Tensor, int, int], Tensor], ...] = (
    lambda net, x, a, b: net.same("Relu", net.batch_norm(net.conv(x, 2 * a, 3, bias=False))),
    lambda net, x, a, b: net.both("Add", x, net.conv(net.same("Relu", net.conv(x, a)), x.channels, 3)),
    lambda net, x, a, b: depthwise_block(net, x, a),
    two_branches,
    lambda net, x, a, b: net.gate(x, a),
    lambda net, x, a, b: half_worked(net, x, a),
    lambda net, x, a, b: net.conv(even(net, x), 2 * a, 3, group=2),
    lambda net, x, a, b: net.shuffled(even(net, x), 2),
    lambda net, x, a, b: net.both("Sub", net.concat(net.conv(x, a), net.conv(x, b)), net.conv(x, a + b)),
    lambda net, x, a, b: net.per_channel("PRelu", net.per_channel("Mul", x)),
    lambda net, x, a, b: mixed_up(net, x, a),
    lambda net, x, a, b: product_of_slices(net, x),
    lambda net, x, a, b: gated_halves(net, x, a),
    lambda net, x, a, b: net.both("Max", net.conv(x, x.channels), x),
    lambda net, x, a, b: net.pooled("AveragePool", net.deconv(x, a)),
    lambda net, x, a, b: net.concat(x, net.conv(x, 3), net.same("Neg", x)),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(programs(), st.sampled_from([0.25, 0.5, 0.9]))
def test_random_networks_equal_their_masked_twins(program: Program, sparsity: float) -> None:
    check(program, sparsity)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(2, 6), st.integers(1, 5), st.sampled_from([0.25, 0.5, 0.9]))
def test_random_attention_loses_whole_heads(count: int, width: int, sparsity: float) -> None:
    pruned = check(lambda net, x: attention(net, x, count, width), sparsity)
    for name, kept in pruned.kept.items():
        if pruned.widths[name] == count * width:
            assert len(kept) % width == 0


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.95]))
def test_many_random_networks_equal_their_masked_twins(program: Program, sparsity: float) -> None:
    check(program, sparsity)


def test_the_same_wish_gives_the_same_bytes() -> None:
    x = np.random.default_rng(5).normal(size=(40, GIVEN, SIZE, SIZE)).astype(np.float32)
    first, second = (serialize(prune(build(residual), 0.4, [{"x": x}])[0]) for _ in range(2))
    assert first == second


def late_change(kept: rebuild.Kept | None, sparsity: float, threads: int = 1) -> bytes:
    """A net whose third layer alone loses another share than the rest."""

    def program(net: Net, x: Tensor) -> Tensor:
        return head(net, net.conv(net.same("Relu", net.conv(net.same("Relu", net.conv(x, 8, 3)), 9, 3)), 10))

    model = ir.from_proto(build(program))
    facts = facts_of(model, path="", format="onnx", file_bytes=0)
    rules = (Rule(facts.layers[2].name, Settings(sparsity=sparsity)),)
    plan = resolve(Recipe(default=Settings(sparsity=0.4), rules=rules), facts, TARGET, False)
    x = np.random.default_rng(5).normal(size=(40, GIVEN, SIZE, SIZE)).astype(np.float32)
    with threadpool_limits(threads, "blas"):
        prune_channels(model, facts, plan, Control(), [{"x": x}], kept)
    return serialize(model)


def test_what_is_remembered_changes_no_byte_and_is_not_computed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = rebuild.Kept()
    late_change(kept, 0.4)
    front = set(kept.mixes)
    monkeypatch.setattr(rebuild, "rows_of", None)
    remembered = late_change(kept, 0.7)
    assert len(set(kept.mixes) - front) == 1
    monkeypatch.undo()
    assert remembered == late_change(None, 0.7)


def test_the_number_of_threads_changes_no_byte() -> None:
    assert late_change(None, 0.5, 1) == late_change(None, 0.5, 2)


@pytest.mark.parametrize("budget", [0.0, rows.BUDGET])
@pytest.mark.parametrize("program", [chain, residual, flattened("zero"), upsampled])
def test_rebuilding_brings_the_output_closer_than_removal_alone(
    program: Program, budget: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All at once where the budget is small, else layer by layer; on inputs that it has not seen."""
    monkeypatch.setattr(rows, "BUDGET", budget)
    rng = np.random.default_rng(5)
    x, unseen = (rng.normal(size=(96, GIVEN, SIZE, SIZE)).astype(np.float32) for _ in range(2))
    proto = build(program)
    exact = run(proto.SerializeToString(), unseen)
    errors = [
        float(np.square(run(serialize(prune(proto, 0.5, data)[0]), unseen) - exact).mean())
        for data in (None, [{"x": x}])
    ]
    assert errors[1] < 0.6 * errors[0]


def test_channels_that_repeat_others_cost_nothing_when_they_go() -> None:
    """Least squares finds a duplicate's twin, so the function stays the same."""

    def doubled(net: Net, x: Tensor) -> Tensor:
        kernel = net.rng.normal(size=(4, GIVEN, 1, 1)).astype(np.float32)
        x = net.layer("Conv", x, 8, net.constant(np.concatenate([kernel, kernel * 2])), size=SIZE)
        return head(net, net.conv(net.same("Relu", x), 5, 3))

    proto = build(doubled)
    model = ir.from_proto(proto)
    facts = facts_of(model, path="", format="onnx", file_bytes=0)
    recipe = Recipe(rules=(Rule(facts.layers[0].name, Settings(sparsity=0.25, structure="channels")),))
    x = np.random.default_rng(5).normal(size=(64, GIVEN, SIZE, SIZE)).astype(np.float32)
    pruned = prune_channels(model, facts, resolve(recipe, facts, TARGET, False), Control(), [{"x": x}])
    assert list(pruned.sparsity.values()) == [0.25]
    np.testing.assert_allclose(run(serialize(model), x), run(proto.SerializeToString(), x), atol=2e-2)


@pytest.mark.parametrize(("criterion", "gone"), [("magnitude", 3), ("activations", 2)])
def test_the_criterion_decides_which_channel_goes(criterion: Criterion, gone: int) -> None:
    """Channel 2 is large in the layer behind but never varies; channel 3 is small in both."""

    def program(net: Net, x: Tensor) -> Tensor:
        kernel = net.rng.normal(size=(6, GIVEN, 1, 1)).astype(np.float32)
        kernel[2], kernel[3] = 0, kernel[3] / 10
        behind = net.rng.normal(size=(5, 6, 1, 1)).astype(np.float32)
        behind[:, 2], behind[:, 3] = behind[:, 2] * 9, behind[:, 3] / 10
        x = net.layer("Conv", x, 6, net.constant(kernel), size=SIZE)
        return head(net, net.layer("Conv", x, 5, net.constant(behind), size=SIZE))

    model = ir.from_proto(build(program))
    facts = facts_of(model, path="", format="onnx", file_bytes=0)
    wish = Settings(sparsity=0.17, structure="channels", criterion=criterion)
    recipe = Recipe(rules=(Rule(facts.layers[0].name, wish),))
    x = np.random.default_rng(5).normal(size=(64, GIVEN, SIZE, SIZE)).astype(np.float32)
    pruned = prune_channels(model, facts, resolve(recipe, facts, TARGET, False), Control(), [{"x": x}])
    assert set(range(6)) - set(pruned.kept[facts.layers[0].name]) == {gone}


def test_a_matmul_without_bias_gets_its_shift_behind_it() -> None:
    def program(net: Net, x: Tensor) -> Tensor:
        y = net.matmul(net.flat(net.same("Sigmoid", net.conv(x, 6, 3)), "Flatten"), 7)
        return net.matmul(net.same("Relu", y), 2)

    x = np.random.default_rng(5).normal(size=(32, GIVEN, SIZE, SIZE)).astype(np.float32)
    model, _, _ = prune(build(program), 0.5, [{"x": x}])
    assert [node.op_type for node in model.graph].count("Add") == 2
    assert run(serialize(model), x).shape == (32, 2)


def test_wide_layers_keep_multiples_that_kernels_like() -> None:
    def wide(net: Net, x: Tensor) -> Tensor:
        return head(net, net.conv(net.conv(x, 150), 40))

    _, facts, pruned = prune(build(wide), 0.3)
    assert [len(pruned.kept[layer.name]) for layer in facts.layers[:2]] == [112, 32]
    assert pruned.sparsity[facts.layers[1].name] == pytest.approx(8 / 40)


def test_coupled_halves_of_a_wide_layer_are_rounded_as_the_layer() -> None:
    def wide(net: Net, x: Tensor) -> Tensor:
        first, second = net.split(net.conv(x, 64), 32)
        return head(net, net.both("Mul", first, second))

    _, facts, pruned = prune(build(wide), 0.3)
    assert len(pruned.kept[facts.layers[0].name]) == 48


def test_a_wish_below_one_step_is_told_not_dropped() -> None:
    def wide(net: Net, x: Tensor) -> Tensor:
        return head(net, net.conv(x, 64))

    _, facts, pruned = prune(build(wide), 0.02)
    assert not pruned.sparsity
    assert "steps of 16" in pruned.refused[facts.layers[0].name].reason


def test_nothing_asked_changes_nothing() -> None:
    proto = build(residual)
    model, facts, pruned = prune(proto, 0.0)
    assert pruned.facts == facts
    assert serialize(model) == serialize(ir.from_proto(proto))


def test_cancel_is_heard() -> None:
    control = Control()
    control.cancel()
    model = ir.from_proto(build(residual))
    facts = facts_of(model, path="", format="onnx", file_bytes=0)
    plan = resolve(Recipe(default=Settings(sparsity=0.5)), facts, TARGET, False)
    with pytest.raises(Cancelled):
        prune_channels(model, facts, plan, control)
