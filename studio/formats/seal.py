"""Sealing a process before it runs a stranger's code: no network, no programs, no foreign files.

Three walls, each of which holds alone: a seccomp filter refuses sockets, new programs and meddling
with other processes; Landlock refuses writing outside one folder and reading the user's files; an
audit hook refuses the same from Python where the kernel offers neither. Numbers are those of
linux/seccomp.h, linux/landlock.h and the system-call tables of x86-64 and AArch64.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER_MODE = 38, 22, 2
_ALLOW, _DENY = 0x7FFF0000, 0x00050000 | 1  # EPERM
_NO_CALL = 0x00050000 | 38  # ENOSYS
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE, _CLONE3, _THREAD, _NONE = {"x86_64": 56, "aarch64": 220}, 435, 0x10000, 0x3FFFFFFF
_CALLS = {  # name: number on x86-64, number on AArch64
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "ptrace": (101, 117),
    "execve": (59, 221),
    "fork": (57, _NONE),  # AArch64 has clone alone
    "vfork": (58, _NONE),
    "execveat": (322, 281),
    "kill": (62, 129),
    "mount": (165, 40),
    "reboot": (169, 142),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "add_key": (248, 217),
    "keyctl": (250, 219),
}
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_READ = 1 << 2 | 1 << 3
_FILE_ONLY = 1 << 1 | 1 << 2
_LANDLOCK_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NEVER = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.kill",
    "os.link",
    "os.symlink",
    "pty.",
    "ftplib.",
    "http.",
    "urllib.",
    "smtplib.",
    "webbrowser.",
)
_CHANGING = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "shutil.",
)


def seal(folder: str) -> tuple[str, ...]:
    """Seal this process for good; only `folder` stays writable. The walls that stand, by name."""
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "TORCHINDUCTOR_CACHE_DIR", "TORCH_HOME"):
        os.environ[name] = folder
    sys.dont_write_bytecode = True
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    walls = {"landlock": _landlock(libc, folder), "seccomp": _seccomp(libc), "audit": True}
    sys.addaudithook(_hook(os.path.realpath(folder)))
    return tuple(name for name, stands in walls.items() if stands)


def _seccomp(libc: ctypes.CDLL) -> bool:
    arch = _ARCHITECTURES.get(platform.machine())
    if arch is None:
        return False
    clone = _CLONE[platform.machine()]
    calls = [numbers[platform.machine() == "aarch64"] for numbers in _CALLS.values()]
    count = len(calls)
    allow, deny = count + 8, count + 9  # lines; a jump counts from the line after its own
    program = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, deny - 2, arch),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, deny - 4, 0, 0x40000000),  # the x32 door to the same calls
        *((_EQUAL, deny - 5 - index, 0, call) for index, call in enumerate(calls)),
        (_EQUAL, deny + 1 - (count + 5), 0, _CLONE3),  # its flags cannot be seen: "no such call"
        (_EQUAL, 0, allow - (count + 6), clone),
        (_LOAD, 0, 0, 16),
        (_ANY_BIT, 0, deny - (count + 8), _THREAD),  # threads yes, processes no
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _NO_CALL),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    return bool(libc.prctl(_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(header), 0, 0) == 0)


def _landlock(libc: ctypes.CDLL, folder: str) -> bool:
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    rights = _LANDLOCK_RIGHTS[min(version, 3)]
    wanted = ctypes.create_string_buffer(struct.pack("Q", rights), 8)
    ruleset = libc.syscall(_CREATE_RULESET, wanted, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    for path in _readable():
        _allow(libc, ruleset, path, _READ)
    _allow(libc, ruleset, os.devnull, _FILE_ONLY)
    _allow(libc, ruleset, folder, rights & ~1)
    return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)


def _readable() -> Iterable[str]:
    """The interpreter, its packages and the system's libraries; nothing of the user's."""
    yield from ("/usr", "/lib", "/lib64", "/proc", "/sys", "/etc/ld.so.cache", "/dev/urandom", "/opt")
    yield str(Path(__file__).resolve().parent.parent)
    yield from {sys.prefix, sys.base_prefix, sys.exec_prefix, *filter(None, sys.path)}


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there: nothing to allow
    if not Path(path).is_dir():
        rights &= _FILE_ONLY
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, handle), 12)
    libc.syscall(_ADD_RULE, ruleset, 1, rule, 0)
    os.close(handle)


def _hook(folder: str) -> Any:
    def inside(path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return isinstance(path, int) or path is None
        real = os.path.realpath(os.fsdecode(path))
        return real == os.devnull or real == folder or real.startswith(folder + os.sep)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        writing = (event == "open" and _writes(arguments)) or event.startswith(_CHANGING)
        if event.startswith(_NEVER) or (writing and arguments and not inside(arguments[0])):
            raise PermissionError(f"{event} is not allowed while a foreign file is converted")

    return watch


def _writes(arguments: tuple[Any, ...]) -> bool:
    _, mode, flags = arguments
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(isinstance(flags, int) and flags & _WRITING)
