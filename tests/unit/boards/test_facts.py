"""The probe script on made-up boards, and what its answers mean."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from studio.boards.facts import BoardFacts, parse

PROBE = Path(__file__).parents[3] / "resources" / "board" / "probe.sh"
PI4 = "processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU part\t: 0xd08\n\n"
PI5 = "processor\t: 0\nFeatures\t: fp asimd aes asimddp asimdhp cpuid\nCPU part\t: 0xd0b\n\n"


def _fake(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_DASH_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def _probed(root: Path, shell: tuple[str, ...] = ("sh",)) -> BoardFacts:
    words = [*shell, "-s", "--", str(root)]
    done = subprocess.run(words, input=PROBE.read_text(), capture_output=True, text=True, check=True)
    return parse("pi", done.stdout)


SHELLS = [("dash",), ("busybox", "sh"), ("mksh",), ("bash", "--posix")]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_raspberry_pi_4(tmp_path: Path, shell: tuple[str, ...]) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"no {shell[0]} here")
    cpu = "sys__devices__system__cpu__cpu0__cpufreq__"
    root = _fake(
        tmp_path,
        **{
            "proc__device-tree__model": "Raspberry Pi 4 Model B Rev 1.4\0",
            "proc__cpuinfo": PI4 * 4,
            "proc__meminfo": "MemTotal:        3884096 kB\nMemAvailable:  100000 kB\n",
            "proc__loadavg": "3.10 1 1 1/1 1\n",
            f"{cpu}scaling_cur_freq": "600000\n",
            f"{cpu}scaling_max_freq": "1500000\n",
            f"{cpu}cpuinfo_max_freq": "1800000\n",
            f"{cpu}scaling_governor": "ondemand\n",
            "sys__class__thermal__thermal_zone0__type": "cpu-thermal\n",
            "sys__class__thermal__thermal_zone0__temp": "83500\n",
            "sys__class__thermal__thermal_zone0__trip_point_0_temp": "85000\n",
            "etc__os-release": 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n',
            "dev__hailo0": "",
        },
    )
    facts = _probed(root, shell)
    assert facts.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert (facts.cores, facts.parts, facts.features) == (4, ("0xd08",), ("asimd",))
    assert (facts.memory_kib, facts.free_kib) == (3884096, 100000)
    assert (facts.frequency_khz, facts.allowed_khz, facts.governor) == (600000, 1500000, "ondemand")
    assert (facts.os, facts.nodes) == ("Debian GNU/Linux 12", ("/dev/hailo0",))
    assert [(zone.name, zone.celsius, zone.trip) for zone in facts.zones] == [("cpu-thermal", 83.5, 85.0)]
    assert not facts.aes
    told = " | ".join(facts.remarks)
    for part in ("hot: cpu-thermal", "ondemand", "capped at 1500 of 1800", "busy: load 3.1", "97 MiB free"):
        assert part in told


def test_an_empty_board_is_no_error(tmp_path: Path) -> None:
    facts = _probed(tmp_path)
    assert (facts.model, facts.cores, facts.features, facts.zones) == ("", 0, (), ())


def _said(**values: str) -> BoardFacts:
    return parse("pi", "\n".join(f"{key}={value}" for key, value in values.items()))


@pytest.mark.parametrize(
    ("values", "remark"),
    [
        ({"machine": "aarch64", "features": "asimd"}, "no dotprod: expect little from int8; measure"),
        ({"machine": "aarch64", "features": "asimd asimddp"}, "dotprod: int8"),
        ({"machine": "aarch64", "features": "asimd asimddp i8mm"}, "i8mm: int8"),
        ({"machine": "aarch64", "bits": "32"}, "32-bit userland under a 64-bit kernel"),
        ({"machine": "armv7l", "bits": "32"}, "no onnxruntime wheel"),
        ({"machine": "x86_64", "features": "avx2"}, "no VNNI"),
        ({"emulated": "qemu-aarch64"}, "times mean nothing"),
        ({"throttled": "0x50005"}, "throttled now"),
        ({"throttled": "0x50000"}, "was throttled"),
        ({"libc": "musl 1.2.4"}, "musl"),
        ({"libc": "glibc 2.13"}, "older than 2.17"),
        ({"clock": "978307200"}, "clock is wrong"),
        ({}, "no Python on the board"),
        ({"python": "python3"}, "no onnxruntime"),
    ],
)
def test_remarks(values: dict[str, str], remark: str) -> None:
    assert any(remark in told for told in _said(**values).remarks)


def test_bad_answers_are_left_out() -> None:
    facts = _said(cores="many", thermal="a:b:c x", throttled="zz", load="?", features="")
    assert (facts.cores, facts.zones, facts.load, facts.times_mean_nothing) == (0, (), 0.0, "")
