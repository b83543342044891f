"""Make the pictures in docs/screenshots, without a screen: every scene is a row of the table below.

.venv/bin/python packaging/screenshots.py [SCENE…]
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "screenshots"
SAMPLES, BLOCKS, SECONDS = 500, 424, 400.0  # blocks of the made-up transformer: 20,788 nodes
COLOURS = 256


@dataclass(frozen=True)
class Scene:
    """One picture; `scale` is of the screen, `show` a function of this file that gets the window."""

    name: str
    show: str
    theme: str = "dark"
    scale: int = 1


SCENES = (
    Scene("start", "start"),
    Scene("start-light", "start", "light"),
    Scene("window-dark", "sample"),
    Scene("window-light", "sample", "light"),
    Scene("window-2x", "sample", "dark", 2),
    Scene("inspector", "inspector"),
    Scene("layers-grouped", "grouped"),
    Scene("bars", "bars", "light"),
    Scene("pareto", "pareto"),
    Scene("pareto-light", "pareto", "light"),
    Scene("samples", "samples"),
    Scene("settings", "settings"),
    Scene("jobs", "jobs"),
    Scene("history", "history"),
    Scene("boards", "boards"),
    Scene("report", "report", "light"),
    Scene("doctor", "doctor"),  # after all that show the work as it should be
    Scene("transformer", "transformer"),
    Scene("transformer-block", "transformer_block"),
)


def start(window):
    """The empty window, with what was open before."""


def sample(window):
    window.actions_["page_plots"].trigger()


def inspector(window):
    window.page.layers.view.select(("down2/conv",))
    window.page.selection.choose(("down2/conv",))
    window.actions_["page_layer"].trigger()
    window.bridge.sense()
    _until(window, lambda: not window.bridge.busy("sensitivity"))


def grouped(window):
    """Layers under their scopes, the graph coloured by noise."""
    from studio.gui.bridge import NOISE

    window.page.layers.view.group(True)
    window.page.graph.set_mode("sqnr")
    _until(window, lambda: not window.bridge.busy(NOISE))


def bars(window):
    window.page.layers.view.group(False)
    window.page.graph.set_mode("op")
    window.actions_["page_bars"].trigger()


def pareto(window):
    from studio.gui.auto.panel import AutoPanel

    window.actions_["page_auto"].trigger()
    form = window.page.of(AutoPanel).form
    form.ticks["max_bytes"].setChecked(True)
    form.drag("max_bytes", 200_000.0)


def doctor(window):
    """What one scale for a whole layer and no repairs lose, and what wins it back."""
    from studio.gui.bridge import DOCTOR
    from studio.gui.doctor.panel import DoctorPanel
    from studio.recipe.settings import Recipe, Settings

    target = window.bridge.session.recipe.target
    coarse = Recipe(target=target, default=Settings(bits=4, granularity="tensor"), repair=())
    window.bridge.apply_recipe(coarse, "one scale per layer")
    _measured(window)
    window.actions_["page_doctor"].trigger()
    window.page.of(DoctorPanel).run.click()
    _until(window, lambda: not window.bridge.busy(DOCTOR))


def samples(window):
    from studio.gui.bridge import MEASURE

    window.actions_["page_data"].trigger()
    _until(window, lambda: not window.bridge.busy(MEASURE))


def settings(window):
    window.actions_["page_options"].trigger()


def jobs(window):
    window.actions_["page_jobs"].trigger()


def history(window):
    window.actions_["page_history"].trigger()


def boards(window):
    window.actions_["page_plots"].trigger()
    window.actions_["boards"].setChecked(True)


def transformer(window):
    window.actions_["boards"].setChecked(False)
    window.page.layers.hide()
    window.page.graph.set_facts(_transformer())
    _until(window, lambda: window.page.graph.shown.scene is not None)
    window.page.graph.fit()
    window.page.graph_panel.say("transformer · 20,788 nodes")


def transformer_block(window):
    from studio.gui.looks.shots import settle

    transformer(window)
    settle(2000)
    facts = _transformer()
    window.page.graph.reveal(facts.nodes[len(facts.nodes) // 2].name)


def report(window):
    """The page itself, printed by Qt: its first sheet."""


def _transformer():
    path = ROOT / "tests" / "unit" / "graph" / "synthetic.py"
    spec = importlib.util.spec_from_file_location("synthetic_nets", path)
    nets = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = nets
    spec.loader.exec_module(nets)
    return replace(nets.transformer(BLOCKS), name="transformer")


def main():
    """Draw the scenes named on the command line, else all; each scale in a process of its own."""
    DOCS.mkdir(parents=True, exist_ok=True)
    wanted = [scene for scene in SCENES if not sys.argv[1:] or scene.name in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as home:
        for scale in sorted({scene.scale for scene in wanted}):
            names = [scene.name for scene in wanted if scene.scale == scale]
            around = {
                **os.environ,
                "TRIMTAB_HOME": home,
                "QT_QPA_PLATFORM": "offscreen",
                "QT_SCALE_FACTOR": str(scale),
            }
            subprocess.run([sys.executable, __file__, "--draw", *names], check=True, cwd=ROOT, env=around)


def draw(names):
    """In this process: open the sample, edit it a little, then scene after scene."""
    from studio.gui import app
    from studio.gui.looks import shots
    from studio.session.session import Session
    from studio.workbench.local import LocalWorkbench

    application = app.application()
    window = app.build(Session(LocalWorkbench()))
    window.resize(*shots.SIZE)
    window.show()
    for scene in [each for each in SCENES if each.name in names]:
        if scene.show != "start" and window.bridge.session.document is None:
            _work(window)
        window.choose_theme(scene.theme)
        globals()[scene.show](window)
        shots.settle(2500)
        out = DOCS / f"{scene.name}.png"
        _save(window, scene, out)
        _shrink(out)
        print(out)
    window.close()
    application.processEvents()


def _save(window, scene, out):
    from studio.gui.looks import shots

    if scene.show == "report":
        _report(window, out)
    elif scene.show.startswith("transformer"):
        window.page.graph_panel.grab().save(str(out))  # the rest of the window still has the sample
    else:
        shots.render(window, out)


def _work(window):
    """The sample with a history: presets, a pruned group, narrow layers, and times."""
    from studio.data.reference import DataRef
    from studio.gui.bridge import MEASURE
    from studio.paths import resource
    from studio.recipe.settings import Settings

    bridge = window.bridge
    model, data = resource("samples", "fashion.onnx"), resource("samples", "fashion.npz")
    bridge.open(str(model), model.name, DataRef(str(data), limit=SAMPLES))
    _measured(window)
    steps = (
        lambda: bridge.apply_preset("int8"),
        lambda: bridge.edit(("stage2/block3/expand/conv",), Settings(sparsity=0.3)),
        lambda: bridge.edit(("down2/conv", "stage3/block1/expand/conv"), Settings(bits=4)),
        lambda: bridge.edit(("*",), Settings(bits=4)),
        bridge.undo,
    )
    for step in steps:
        step()
        _measured(window)
        bridge.time()
        _until(window, lambda: not bridge.busy(MEASURE))


def _measured(window):
    _until(window, lambda: window.bridge.session.measured is not None)


def _until(window, true):
    from studio.gui.looks.shots import settle, wait

    settle(200)
    wait(lambda: window.bridge.session.document is not None and true(), SECONDS, "a scene")


def _report(window, out):
    from PySide6.QtCore import QSize
    from PySide6.QtPdf import QPdfDocument

    from studio.control import Control
    from studio.gui.keep import pdf

    folder = Path(os.environ["TRIMTAB_HOME"])
    page = window.bridge.session.report(folder / "report.html", Control()).value
    printed = QPdfDocument()
    printed.load(str(pdf.write(page.read_text("utf-8"), folder / "report.pdf")))
    printed.render(0, QSize(1000, 1414)).save(str(out))


def _shrink(path):
    """Fewer colours: a third of the bytes, and nobody sees it."""
    from PIL import Image

    with Image.open(path) as picture:
        ground = Image.new("RGBA", picture.size, "white")
        whole = Image.alpha_composite(ground, picture.convert("RGBA"))
        small = whole.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    draw(sys.argv[2:]) if sys.argv[1:2] == ["--draw"] else main()
