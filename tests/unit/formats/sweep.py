"""Opens every hostile file in a process of its own; prints what came of each, and the memory it took."""

from __future__ import annotations

import importlib.util
import json
import resource
import sys
from pathlib import Path

from studio.errors import ModelError, StudioError
from studio.formats.onnx_in import open_model


def main() -> None:
    spec = importlib.util.spec_from_file_location("hostile", Path(__file__).with_name("hostile.py"))
    assert spec is not None
    assert spec.loader is not None
    hostile = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hostile)
    results = {name: attempt(maker, Path(sys.argv[1], name)) for name, maker in hostile.MAKERS.items()}
    peak = max(_own_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    print(json.dumps({"files": results, "peak_bytes": peak * 1024}))


def _own_peak() -> int:
    """KiB of this program; `ru_maxrss` would count the process that it was started from, before exec, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def attempt(maker, folder: Path) -> dict:
    folder.mkdir()
    path = maker(folder)
    start = _processor()
    try:
        open_model(path)
        kind, text = "opened", ""
    except ModelError as error:
        kind, text = "ModelError", str(error)
    except StudioError as error:
        kind, text = type(error).__name__, str(error)
    return {"kind": kind, "text": text, "path": str(path), "seconds": _processor() - start}


def _processor() -> float:
    """Seconds computed by this process and those it ended: a busy computer does not stretch them."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
