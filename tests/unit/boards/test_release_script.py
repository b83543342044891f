"""The board-side script in every shell that boards have, and hit by kill -9 at random moments."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

SCRIPT = Path(__file__).parents[3] / "resources" / "board" / "release.sh"
SHELLS = {
    "dash": ("dash",),
    "busybox": ("busybox", "sh"),
    "mksh": ("mksh",),
    "bash-posix": ("bash", "--posix"),
}


RARER = [pytest.param(name, marks=pytest.mark.slow) for name in ("mksh", "bash-posix")]


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where that can be had: kill -9 does not reach the disk, and `sync` would wait for it."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture(params=SHELLS)
def every_shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return _present(request.param)


@pytest.fixture(params=["dash", "busybox", *RARER])
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return _present(request.param)


def _present(name: str) -> tuple[str, ...]:
    words = SHELLS[name]
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    return words


class Script:
    """Calls verbs of the script on one root."""

    def __init__(self, root: Path, shell: tuple[str, ...] = ("sh",)) -> None:
        self.root, self.shell = root, shell

    def __call__(self, *words: str, data: bytes = b"", wait: int = 1) -> subprocess.CompletedProcess[bytes]:
        command = [*self.shell, str(SCRIPT), str(self.root), *words]
        env = {**os.environ, "TRIMTAB_LOCK_WAIT": str(wait)}
        return subprocess.run(command, input=data, capture_output=True, env=env, check=False)

    def ok(self, *words: str, data: bytes = b"") -> str:
        done = self(*words, data=data)
        assert done.returncode == 0, (words, done.returncode, done.stderr)
        assert done.stderr == b""
        return done.stdout.decode().strip()

    def push(self, name: str, content: bytes) -> None:
        """Upload and commit a release of one file, resuming as the program does."""
        have = int(self.ok("size", name, "model.onnx"))
        if have and self.ok("digest", name, "model.onnx", str(have)) != _sum(content[:have]):
            self.ok("reset", name, "model.onnx")
            have = 0
        assert self.ok("put", name, "model.onnx", str(have), data=content[have:]) == str(len(content))
        sums = f"{_sum(content)}  model.onnx\n".encode()
        self.ok("reset", name, "SHA256SUMS")
        self.ok("put", name, "SHA256SUMS", "0", data=sums)
        self.ok("commit", name, _sum(sums))

    def active(self) -> list[str]:
        path = self.root / "active"
        return path.read_text().split() if path.exists() else ["-", "-", "0", "-"]


@pytest.mark.slow
def test_whole_life(folder: Path, every_shell: tuple[str, ...]) -> None:
    script = Script(folder / "my board", every_shell)
    script.ok("init")
    for name in ("a", "b"):
        script.push(name, name.encode() * 1000)
        script.ok("prove", name, "proved by 16 goldens")
        script.ok("activate", name)
        assert script.active()[0] == name
        script.ok("confirm", name)
    assert script.active() == ["b", "a", "ok", "-"]
    assert "release=b 2 " in script.ok("status")
    script.ok("rollback")
    assert script.active() == ["a", "-", "ok", "b"]
    assert script("rollback").returncode == 66
    assert script("delete", "a").returncode == 65
    script.ok("delete", "b")
    assert not (script.root / "releases" / "b").exists()
    assert sorted(path.name for path in script.root.iterdir()) == ["active", "incoming", "releases", "trash"]


def test_board_goes_back_by_itself(folder: Path, shell: tuple[str, ...]) -> None:
    script = Script(folder / "board", shell)
    script.ok("init")
    script.push("good", b"good")
    script.ok("activate", "good")
    script.ok("confirm", "good")
    script.push("bad", b"bad")
    script.ok("activate", "bad")
    started = [Path(script.ok("boot")).name for _ in range(5)]
    assert started == ["bad", "bad", "bad", "good", "good"]
    assert script.active() == ["good", "-", "ok", "bad"]


def test_refusals(folder: Path, shell: tuple[str, ...]) -> None:
    script = Script(folder / "board", shell)
    script.ok("init")
    for name in ("../x", ".hidden", "-rf", "a b", "", "a/b", "a\nb"):
        assert script("put", name, "model.onnx", "0").returncode == 64
        assert script("put", "a", name, "0").returncode == 64
    assert script("put", "a", "model.onnx", "x").returncode == 64
    assert script("put", "a", "model.onnx", "5", data=b"later").returncode == 65
    assert script("activate", "none").returncode == 66
    assert script("explode").returncode == 64
    assert script("space", "999999999").returncode == 74
    assert int(script.ok("space", "1")) > 0


def test_altered_bytes_are_refused(folder: Path, shell: tuple[str, ...]) -> None:
    script = Script(folder / "board", shell)
    script.ok("init")
    script.ok("put", "a", "model.onnx", "0", data=b"not what was meant")
    sums = f"{_sum(b'what was meant')}  model.onnx\n".encode()
    script.ok("put", "a", "SHA256SUMS", "0", data=sums)
    assert script("commit", "a", _sum(b"other sums")).returncode == 65
    assert script("commit", "a", _sum(sums)).returncode == 65
    assert not (script.root / "releases" / "a").exists()
    script.push("b", b"fine")
    (script.root / "releases" / "b" / "model.onnx").write_bytes(b"rot!")
    assert script("activate", "b").returncode == 65
    (script.root / "releases" / "b" / "more").write_bytes(b"")
    assert script("check", "b").returncode == 65


@pytest.mark.slow
def test_what_was_hashed_while_it_came_is_believed_until_it_changes(
    folder: Path, shell: tuple[str, ...]
) -> None:
    script = Script(folder / "board", shell)
    script.ok("init")
    content = random.Random(2).randbytes(12_345_678)
    sums = f"{_sum(content)}  model.onnx\n".encode()
    half, rest = content[:3_000_001], content[3_000_001:]
    path, record = (script.root / "incoming" / "a" / name for name in ("model.onnx", ".model.onnx.sum"))

    def send() -> None:
        script.ok("put", "a", "model.onnx", "0", data=half)
        script.ok("put", "a", "model.onnx", str(len(half)), "10000000", data=rest)
        script.ok("put", "a", "SHA256SUMS", "0", data=sums)

    send()
    assert sorted(one.name for one in path.parent.glob(".*")) == [record.name]
    digest, size, _boot = record.read_text().split()
    assert (digest, size) == (_sum(content), str(len(content)))
    # Of the same length, but written later; BusyBox tells times in whole seconds.
    time.sleep(1.1)
    path.write_bytes(content[:-1] + b"x")
    assert script("commit", "a", _sum(sums)).returncode == 65
    script.ok("reset", "a", "model.onnx")
    assert not record.exists()
    script.ok("reset", "a", "SHA256SUMS")
    send()
    # Of before a power cut, and wrong: the file is read.
    record.write_text(f"{'0' * 64} {size} another-boot\n")
    script.ok("commit", "a", _sum(sums))
    assert {one.name for one in (script.root / "releases" / "a").glob(".*")} == {".complete"}


def test_lock(folder: Path, shell: tuple[str, ...]) -> None:
    script = Script(folder / "board", shell)
    script.ok("init")
    script.push("a", b"a")
    lock = script.root / "lock"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    stat = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()
    lock.symlink_to(f"{boot}:{os.getpid()}:{stat[19]}:")
    assert script("activate", "a", wait=0).returncode == 75
    for dead in (
        f"{boot}:{os.getpid()}:1",
        f"other-boot:{os.getpid()}:{stat[19]}",
        f"{boot}:4194303:0",
        "junk",
    ):
        lock.unlink(missing_ok=True)
        lock.symlink_to(dead)
        script.ok("activate", "a")
        assert not lock.is_symlink()


def test_a_sender_that_went_silent_is_relieved(folder: Path, every_shell: tuple[str, ...]) -> None:
    script = Script(folder / "board", every_shell)
    script.ok("init")
    command = [*every_shell, str(SCRIPT), str(script.root), "put", "a", "model.onnx", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as silent:
        assert silent.stdin is not None
        silent.stdin.write(b"half")
        silent.stdin.flush()
        while script.ok("size", "a", "model.onnx") != "4":
            time.sleep(0.01)
        assert script("put", "a", "model.onnx", "4", data=b" more", wait=0).returncode == 75
        script.ok("takeover", "b")
        assert script("put", "a", "model.onnx", "4", data=b" more", wait=0).returncode == 75
        script.ok("takeover", "a")
        assert script.ok("put", "a", "model.onnx", "4", data=b" more") == "9"
        silent.wait()


def test_heals_what_a_cut_left(folder: Path, shell: tuple[str, ...]) -> None:
    script = Script(folder / "board", shell)
    script.ok("init")
    script.push("a", b"a")
    script.ok("activate", "a")
    (script.root / "releases" / "stump").mkdir()
    (script.root / "active.new.99").write_text("stump")
    (script.root / "trash" / "1.old").mkdir(parents=True)
    script.ok("init")
    assert [path.name for path in (script.root / "releases").iterdir()] == ["a"]
    assert not (script.root / "active.new.99").exists()
    assert not (script.root / "trash").exists()


@pytest.mark.slow
def test_shellcheck_finds_nothing() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck here")
    scripts = sorted(str(path) for path in SCRIPT.parent.glob("*.sh"))
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert done.stdout == ""


@pytest.mark.slow
def test_kill_at_random_moments(folder: Path) -> None:
    _hits(folder, 8, random.Random(1))


@pytest.mark.slow
def test_kill_at_many_random_moments(folder: Path, every_shell: tuple[str, ...]) -> None:
    _hits(folder, 60, random.Random(2), every_shell)


def _hits(folder: Path, hits: int, chance: random.Random, shell: tuple[str, ...] = ("sh",)) -> None:
    """Kill a run of pushes at random moments; what is active must always be complete and verified."""
    script = Script(folder / "board", shell)
    contents = {f"r{at}": chance.randbytes(200_000 + at) for at in range(3)}
    sources = folder / "sources"
    sources.mkdir()
    for name, content in contents.items():
        (sources / name).write_bytes(content)
        (sources / f"{name}.sums").write_text(f"{_sum(content)}  model.onnx\n")
    loop = _loop_script(script, sources, contents)
    start = time.monotonic()
    subprocess.run([*shell, "-c", loop.replace("while :", "for i in 1")], check=False)
    once = time.monotonic() - start
    for _ in range(hits):
        _kill_within([*shell, "-c", loop], chance.uniform(0, once))
        _assert_whole(script, contents)
    script.push("r0", contents["r0"])
    script.ok("activate", "r0")


def _loop_script(script: Script, sources: Path, contents: dict[str, bytes]) -> str:
    """A shell loop that pushes, switches, confirms and deletes for ever."""
    call = " ".join([*script.shell, f"'{SCRIPT}'", f"'{script.root}'"])
    names = list(contents)
    steps = [f"{call} init"]
    for name in contents:
        digest = _sum((sources / f"{name}.sums").read_bytes())
        steps += [
            f"{call} reset {name} model.onnx; {call} reset {name} SHA256SUMS",
            f"{call} put {name} model.onnx 0 < '{sources}/{name}'",
            f"{call} put {name} SHA256SUMS 0 < '{sources}/{name}.sums'",
            f"{call} commit {name} {digest}",
            f"{call} activate {name}",
            f"{call} boot",
            f"{call} confirm {name}",
        ]
        steps.append(f"{call} delete {names[(names.index(name) + 1) % len(names)]}")
    return "while :; do " + "; ".join(steps) + "; done >/dev/null 2>&1"


def _kill_within(command: list[str], seconds: float) -> None:
    process = subprocess.Popen(command, start_new_session=True)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _assert_whole(script: Script, contents: dict[str, bytes]) -> None:
    words = script.active()
    assert len(words) == 4, words
    for name in {words[0], words[1]} - {"-"}:
        model = script.root / "releases" / name / "model.onnx"
        assert model.read_bytes() == contents[name]
    script.ok("init")
    for path in (script.root / "releases").iterdir():
        assert (path / ".complete").exists()
        script.ok("check", path.name)
    if words[0] != "-":
        assert Path(script.ok("boot")).name in words[:2]


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
