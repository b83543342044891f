"""Make the pictures in docs/screenshots: the demo's window (light and dark) and its report's figures.

.venv/bin/python packaging/screenshots.py
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs" / "screenshots"


def main():
    DOCS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TRIMTAB_HOME": f"{folder}/home", "QT_QPA_PLATFORM": "offscreen"}
        demo = [sys.executable, "-m", "studio", "demo", "--headless", "--out", f"{folder}/out"]
        subprocess.run(demo, check=True, cwd=ROOT, env=environment)
        for picture in sorted(Path(folder, "out").glob("*.png")):
            shutil.copyfile(picture, DOCS / picture.name)
            print(DOCS / picture.name)


if __name__ == "__main__":
    main()
