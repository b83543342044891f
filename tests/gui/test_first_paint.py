"""The first paint must not wait for a library that it does not need."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import sys
from studio.gui import app
qt = app.application()
window = app.build()
window.show()
qt.processEvents()
assert not window.grab().isNull()
heavy = ("torch", "onnxruntime", "pyqtgraph", "asyncssh", "onnx", "onnx_ir", "scipy", "PIL")
print(",".join(name for name in heavy if name in sys.modules))
window.close()
"""


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
