from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from studio.artifact import Artifact, LayerOutcome, Refusal
from studio.boards.report import BoardRun
from studio.data.reference import DataFacts, DataRef, Preprocessing
from studio.graph.model import Facts, LayerFact, TensorFact
from studio.metrics import HERE, Comparison, Figure, Latency, LatencyPair, LayerDrift, Sensitivity
from studio.recipe.settings import Recipe, Rule, Settings
from studio.report import ReportData, environment, render, words
from studio.report.page import commands

NASTY = "<script>alert('x')</script>&\"conv"


def layer(name: str, group: str = "g") -> LayerFact:
    return LayerFact(name, "Conv", 0, "w", None, (8, 4, 3, 3), 0, 1, 1, 288, 1152, 1000, 32, group, True)


@pytest.fixture
def bare() -> ReportData:
    facts = Facts(
        key="f" * 64,
        name=NASTY,
        path="/models/my net.onnx",
        format="onnx",
        file_bytes=1_100_495,
        ir_version=8,
        opsets=(("", 17),),
        producer="pytorch",
        inputs=(TensorFact("x", "FLOAT", ("N", 1, 8, 8)),),
        outputs=(),
        tensors=(),
        nodes=(),
        layers=(layer(NASTY), layer("fc")),
        groups=(),
    )
    refused = (Refusal("bits", "3", "4", NASTY),)
    outcome = LayerOutcome(NASTY, 4, 8, 0.25, "channels", "packed", 400, refused)
    artifact = Artifact(
        "a.onnx", "a" * 64, 293_778, "{}", "onnxruntime-cpu", facts.key, "", (outcome,), 0.5, ("a note",)
    )
    recipe = Recipe(name=NASTY, rules=(Rule("conv*", Settings(bits=4, sparsity=0.25)),))
    return ReportData(facts, recipe, artifact)


@pytest.fixture
def full(bare) -> ReportData:
    comparison = Comparison(
        "top-1",
        Figure(94.0, "%", 1000, HERE, 92.35, 95.31),
        Figure(92.7, "%", 1000, HERE, 90.92, 94.16),
        Figure(-1.3, "pp", 1000, HERE, -2.28, -0.41),
        (),
        22,
        14.2,
    )
    slow, fast = (Latency(p, p, p, p, 200, 1, HERE, invalid="a noisy neighbour") for p in (0.234, 0.131))
    return replace(
        bare,
        data=DataFacts(
            DataRef("/data/d.npz"), "d" * 64, "npz", 1000, True, 10, (1, 8, 8), "float32", 200, True
        ),
        comparison=comparison,
        drift=(LayerDrift(NASTY, 21.5), LayerDrift("fc", None, "equal")),
        pair=LatencyPair(slow, fast, Figure(0.559, "", 200, HERE, 0.55, 0.57)),
        sensitivity=(Sensitivity(NASTY, "bits=4", comparison.difference, 20.0, 9),),
        boards=(
            BoardRun(NASTY, "r1", True, samples=8, runs=90, threads=1, p50=3.1, p90=3.2, p95=3.3, p99=4.0),
            BoardRun("pi", "r1", False, reason="no onnxruntime on the board"),
        ),
        kernels=(("QLinearConv", 17),),
        environment=environment(),
        out="/out/my small.onnx",
        made="2026-11-21",
    )


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", ["bare", "full"])
def test_well_formed_self_contained_and_escaped(name, request):
    html = render(request.getfixturevalue(name))
    page = Page(html)
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe"})
    assert not any({"src", "href", "onclick"} & attributes.keys() for _, attributes in page.tags)
    assert re.search(r"https?:|url\(|@import", html) is None
    assert NASTY not in html
    for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        ElementTree.fromstring(svg)


def test_figures_with_interval_n_and_source(full):
    html = render(full)
    for text in (
        "293.8 kB",
        "−73.3 %",
        "94.00 %",
        "92.70 %",
        "−1.30 pp",
        "−2.28 … −0.41",
        "measured here",
        "× 0.559",
        "21.5 dB",
        "equal",
        "a noisy neighbour",
        "no onnxruntime on the board",
        "QLinearConv × 17",
        "gone",
        "prefers-color-scheme: dark",
        "@media print",
    ):
        assert text in html, text


def test_a_held_out_figure_is_a_row_of_its_own(full) -> None:
    assert full.comparison is not None
    held_out = replace(full.comparison, difference=Figure(-1.75, "pp", 431, HERE, -3.0, -0.5))
    page = render(replace(full, held_out=held_out))
    assert "Top-1, held-out samples" in page
    assert "431" in page
    assert "held-out" not in render(full)


def test_commands_are_quoted_and_prove_the_digest(full):
    html = render(full)
    assert "trimtab optimize &#39;/models/my net.onnx&#39;" in html
    assert "sha256sum" in html
    assert "a" * 64 in html
    assert "trimtab mine" in render(replace(full, commands=("trimtab mine",)))


def test_commands_name_the_samples_and_how_they_are_read(full):
    assert full.data is not None
    read = Preprocessing(scale=0.5)
    ref = DataRef("/data/pictures", read, 200)
    lines = commands(replace(full, data=replace(full.data, ref=ref)))
    written, optimize, compare = lines[:3]
    assert written == """printf %s '{"scale":0.5}' > preprocessing.json"""
    for line in (optimize, compare):
        assert "--data /data/pictures --limit 200 --preprocessing preprocessing.json" in line
    assert "--limit" not in " ".join(commands(full))


def test_words():
    assert [words.size(n) for n in (12, 2_500, 1_100_495, 3e9)] == ["12 B", "2.5 kB", "1.10 MB", "3.00 GB"]
    assert [words.signed(v) for v in (-1.3, 0.004, -0.001, 2)] == ["−1.30", "0.00", "0.00", "+2.00"]
    assert words.number(1_234_567) == "1\u2009234\u2009567"
    assert words.interval(Figure(100, "%", 5, HERE, 100, 100)) == ""
    assert words.figure(Figure(-0.5, "pp", 5, HERE)) == "−0.50 pp"
