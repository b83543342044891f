"""Recipe + model + target → rows; what cannot be had comes back with its reason."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import pytest

from studio.control import Control
from studio.graph.model import Facts, GroupFact, LayerFact
from studio.recipe.resolve import Known, LayerPlan, Plan, resolve, unmatched
from studio.recipe.settings import Recipe, Rule, Settings
from studio.target import OpRule, Target, load
from studio.workbench.local import LocalWorkbench

ALL = (32, 16, 8, 7, 6, 5, 4, 3, 2, 1)
RULE = OpRule(bits=ALL, activations=(32, 8))
TARGET = Target(1, "t", "t", "onnxruntime", "any", 26, 13, ops={"Conv": RULE, "Gemm": RULE}, other=OpRule())


def layer(name: str, group: str, op: str = "Conv", **more: object) -> LayerFact:
    plain = LayerFact(name, op, 0, f"{name}.w", None, (8, 8, 1, 1), 0, 1, 1, 64, 256, 64, 32, group, True)
    return replace(plain, **more)  # type: ignore[arg-type]  # tests name the fields they change


LAYERS = (
    layer("conv1", "conv1+1"),
    layer("conv1b", "conv1b"),
    layer("conv2", "conv1+1"),
    layer("fc", "fc", "Gemm", prunable=False, why_not_prunable="its channels are the model's output `y`"),
)
GROUPS = (
    GroupFact("conv1+1", ("conv1", "conv2"), ("conv1b", "fc"), 8, True),
    GroupFact("conv1b", ("conv1b",), ("conv2",), 8, True),
    GroupFact("fc", ("fc",), (), 8, False, "its channels are the model's output `y`"),
)
FACTS = Facts("k", "m", "", "onnx", 1, 8, (("", 17),), "", (), (), (), (), LAYERS, GROUPS)


def plan(
    *rules: tuple[str, Settings], target: Target = TARGET, calibrated: bool = True, **more: object
) -> Plan:
    default = more.get("default", Settings())
    assert isinstance(default, Settings)
    recipe = Recipe(default=default, rules=tuple(Rule(pattern, settings) for pattern, settings in rules))
    return resolve(recipe, FACTS, target, calibrated)


def column(rows: Plan, name: str) -> list[object]:
    return [getattr(row, name) for row in rows.layers]


def reasons(row: LayerPlan) -> list[str]:
    return [str(each) for each in row.refused]


def test_an_empty_recipe_touches_nothing() -> None:
    rows = plan()
    assert not any(row.touched or row.refused for row in rows.layers)
    assert not rows.needs_calibration


def test_later_rules_win_and_what_they_leave_open_shines_through() -> None:
    rows = plan(("conv*", Settings(bits=4, granularity="tensor")), ("conv2", Settings(bits=8)))
    assert column(rows, "bits") == [4, 4, 8, 32]
    assert column(rows, "granularity") == ["tensor", "tensor", "tensor", "channel"]


def test_a_wildcard_never_reaches_a_layer_through_the_name_of_its_group() -> None:
    """`conv1*` fits the group name `conv1+1`, whose other member is conv2."""
    assert column(plan(("conv1*", Settings(bits=8))), "bits") == [8, 8, 32, 32]


def test_a_group_by_its_full_name_takes_all_members() -> None:
    assert column(plan(("conv1+1", Settings(bits=8))), "bits") == [8, 32, 8, 32]


def test_by_op() -> None:
    assert column(plan(("op:Gemm", Settings(bits=8))), "bits") == [32, 32, 32, 8]


def test_channels_go_as_the_group_even_if_one_member_is_named() -> None:
    rows = plan(("conv2", Settings(sparsity=0.5)))
    assert column(rows, "sparsity") == [0.5, 0.0, 0.5, 0.0]
    assert column(rows, "structure") == ["channels", "none", "channels", "none"]


def test_single_weights_go_as_the_layer_alone() -> None:
    rows = plan(("conv2", Settings(sparsity=0.5, structure="unstructured")))
    assert column(rows, "sparsity") == [0.0, 0.0, 0.5, 0.0]
    assert column(rows, "structure") == ["none", "none", "unstructured", "none"]


def test_one_member_that_wants_single_weights_keeps_the_whole_group_from_losing_channels() -> None:
    rows = plan(("conv2", Settings(structure="unstructured")), default=Settings(sparsity=0.3))
    assert column(rows, "structure") == ["unstructured", "channels", "unstructured", "unstructured"]


def test_channels_of_the_output_are_refused_with_the_reason_of_the_graph() -> None:
    row = plan(("fc", Settings(sparsity=0.5, structure="channels"))).of("fc")
    assert (row.sparsity, row.structure) == (0.5, "unstructured")
    assert reasons(row) == ["structure channels → unstructured: its channels are the model's output `y`"]


def test_a_member_whose_own_channels_must_stay_is_not_said_to_lose_them() -> None:
    held = replace(LAYERS[2], prunable=False, why_not_prunable="held")
    some = replace(FACTS, layers=(*LAYERS[:2], held, LAYERS[3]))
    rows = resolve(Recipe(default=Settings(sparsity=0.5)), some, TARGET, True)
    assert column(rows, "structure") == ["channels", "channels", "unstructured", "unstructured"]


def test_a_target_without_channel_removal_for_one_member_keeps_the_group() -> None:
    ops = {"Conv": OpRule(bits=ALL, sparsity=("unstructured",))}
    target = Target(1, "t", "t", "onnxruntime", "any", 26, 13, ops=ops)
    row = plan(("conv1", Settings(sparsity=0.5, structure="channels")), target=target).of("conv1")
    assert row.structure == "unstructured"
    assert reasons(row) == ["structure channels → unstructured: the target removes no channels of Conv"]


def test_a_target_without_any_sparsity_refuses_it() -> None:
    target = Target(1, "t", "t", "onnxruntime", "any", 26, 13, other=OpRule(sparsity=(), why="nothing fits"))
    row = plan(default=Settings(sparsity=0.5), target=target).of("fc")
    assert (row.sparsity, row.structure) == (0.0, "none")
    assert reasons(row) == ["sparsity 0.5 → 0: nothing fits"]


def test_too_much_sparsity_is_capped_and_told() -> None:
    row = plan(default=Settings(sparsity=0.99)).of("conv1")
    assert row.sparsity == 0.95
    assert "nothing of the layer would be left" in reasons(row)[0]


def test_a_width_that_the_target_lacks_becomes_the_next_wider_one() -> None:
    target = Target(
        1, "t", "t", "onnxruntime", "any", 26, 13, other=OpRule(bits=(32, 8), why="no narrow kernels")
    )
    row = plan(default=Settings(bits=4), target=target).of("conv1")
    assert row.bits == 8
    assert reasons(row) == ["bits 4 → 8: no narrow kernels"]


def test_what_the_file_stores_narrower_is_left_and_told_where_it_was_asked() -> None:
    stored = replace(FACTS, layers=tuple(replace(each, bits=8) for each in LAYERS))
    assert resolve(Recipe(), stored, TARGET, True).of("fc").refused == ()
    row = resolve(Recipe(default=Settings(bits=16)), stored, TARGET, True).of("fc")
    assert row.bits == 32
    assert "already stores it in 8 bits" in reasons(row)[0]


@pytest.mark.parametrize(
    ("settings", "calibrated", "given", "refused"),
    [
        (Settings(bits=8), True, 8, False),
        (Settings(bits=8), False, 32, False),
        (Settings(bits=8, activations=8), False, 32, True),
        (Settings(bits=8, activations=32), True, 32, False),
        (Settings(bits=8, activations=16), True, 32, True),
        (Settings(activations=8), True, 32, True),
        (Settings(bits=16), True, 32, False),
    ],
)
def test_activations(settings: Settings, calibrated: bool, given: int, refused: bool) -> None:
    row = plan(default=settings, calibrated=calibrated).of("conv1")
    assert row.activations == given
    assert bool(row.refused) is refused


def test_int8_that_does_not_pay_is_only_taken_when_asked_for() -> None:
    slow = OpRule(bits=ALL, activations=(32, 8), int8_pays=False, why="slower")
    target = Target(1, "t", "t", "onnxruntime", "any", 26, 13, other=slow)
    assert plan(default=Settings(bits=8), target=target).of("fc").activations == 32
    assert plan(default=Settings(bits=8, activations=8), target=target).of("fc").activations == 8


def test_a_granularity_that_the_target_lacks_is_refused() -> None:
    row = plan(default=Settings(bits=4, granularity="block")).of("conv1")
    assert row.granularity == "channel"
    assert reasons(row) == ["granularity block → channel: this op takes channel, tensor"]


def test_patterns_that_name_nothing_are_found() -> None:
    recipe = Recipe(rules=(Rule("nosuch", Settings(bits=8)), Rule("conv1+1", Settings(bits=8))))
    assert unmatched(recipe, FACTS) == ("nosuch",)


def test_a_plan_is_found_by_layer_and_crosses_processes() -> None:
    rows = plan(default=Settings(bits=8))
    assert rows.of("fc").layer == "fc"
    with pytest.raises(KeyError):
        rows.of("nosuch")
    assert pickle.loads(pickle.dumps(rows)) == rows


def test_blocks_that_cannot_be_had_leave_scales_per_channel() -> None:
    rule = OpRule(ALL, (32,), granularity=("channel", "block"), blocks=(32,))
    target = replace_target(rule)
    row = plan(default=Settings(bits=2, granularity="block"), target=target).of("fc")
    assert (row.granularity, row.block) == ("channel", 0)
    assert row.refused[0].asked == "block"


def replace_target(rule: OpRule) -> Target:
    return Target(1, "t", "t", "onnxruntime", "any", 26, 13, other=rule)


@pytest.mark.slow
def test_what_is_known_makes_no_other_plan(sample: Path) -> None:
    facts, goal, known = LocalWorkbench().open(str(sample), Control()), load("onnxruntime-cpu"), Known()
    names = [layer.name for layer in facts.layers]
    group = next(each for each in facts.groups if each.prunable)
    recipe = Recipe()
    for step in range(12):
        wish = Settings(bits=(8, 4, 2)[step % 3], structure=("channels", "unstructured")[step % 2])
        recipe = recipe.with_rule(names[step % len(names)], wish)
        if step == 6:
            recipe = recipe.with_rule(group.name, Settings(sparsity=0.5))
        assert resolve(recipe, facts, goal, True, known) == resolve(recipe, facts, goal, True)
    assert resolve(Recipe(), facts, goal, True, known) == resolve(Recipe(), facts, goal, True)
