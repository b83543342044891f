from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from studio.graph.model import Facts, TensorFact
from studio.kept import Kept, KeptBytes, make_room
from studio.made_up import made_up


def test_values_are_made_once_and_the_oldest_goes() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    kept: Kept[str] = Kept(2)
    for name in "aabacb":
        assert kept.get(name, lambda name=name: make(name)) == name.upper()
    assert made == ["a", "b", "c", "b"]
    assert kept.find("a") is None


def test_a_maker_that_waits_holds_nobody_up() -> None:
    kept: Kept[str] = Kept(2)
    begun, free = Event(), Event()

    def slow() -> str:
        begun.set()
        assert free.wait(20)
        return "slow"

    with ThreadPoolExecutor(2) as threads:
        behind = threads.submit(kept.get, "a", slow)
        assert begun.wait(20)
        kept.drop("b")
        ahead = threads.submit(kept.get, "a", lambda: "quick")
        assert ahead.result(20) == "quick"
        free.set()
        assert behind.result(20) == "quick"


def test_old_files_make_room_for_new_ones(tmp_path: Path) -> None:
    for index in range(20):
        path = tmp_path / f"{index:02}.onnx"
        path.write_bytes(b"x" * 100)
        os.utime(path, (index, index))
    make_room(tmp_path, 500)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{index:02}.onnx" for index in range(4, 20)]
    make_room(tmp_path, 10_000)
    assert len(list(tmp_path.iterdir())) == 16


def test_made_up_samples_fit_the_inputs() -> None:
    inputs = (
        TensorFact("image", "FLOAT", ("batch", 3, None, 8)),
        TensorFact("ids", "INT64", ("batch", 5)),
        TensorFact("any", "FLOAT16", None),
    )
    facts = Facts("k", "n", "p", "onnx", 0, 10, (), "", inputs, (), (), (), (), ())
    found = made_up(facts, 4)
    assert {name: (each.shape, each.dtype.name) for name, each in found.items()} == {
        "image": ((4, 3, 1, 8), "float32"),
        "ids": ((4, 5), "int64"),
        "any": ((4,), "float16"),
    }
    assert all((found[name] == again).all() for name, again in made_up(facts, 4).items())


def test_made_up_samples_keep_a_state_and_a_rate_whole() -> None:
    inputs = (
        TensorFact("audio", "FLOAT", ("batch", "length")),
        TensorFact("state", "FLOAT", (2, "batch", 64)),
        TensorFact("rate", "INT64", ()),
    )
    facts = Facts("k", "n", "p", "onnx", 0, 10, (), "", inputs, (), (), (), (), ())
    found = made_up(facts, 4, free=512)
    assert {name: each.shape for name, each in found.items()} == {
        "audio": (4, 512),
        "state": (2, 4, 64),
        "rate": (),
    }


def test_a_free_axis_without_a_name_is_a_batch_axis_too() -> None:
    inputs = (TensorFact("audio", "FLOAT", (None, None)), TensorFact("state", "FLOAT", (2, None, 64)))
    facts = Facts("k", "n", "p", "onnx", 0, 10, (), "", inputs, (), (), (), (), ())
    found = made_up(facts, 4, free=512)
    assert {name: each.shape for name, each in found.items()} == {"audio": (4, 512), "state": (2, 4, 64)}


def test_values_used_last_stay_as_long_as_their_bytes_fit() -> None:
    kept: KeptBytes[str] = KeptBytes(10)
    kept.put("a", "A", 4)
    kept.put("b", "B", 4)
    assert kept.find("a") == "A"
    kept.put("c", "C", 6)  # b was used before a
    assert [kept.find(key) for key in "abc"] == ["A", None, "C"]
    kept.put("a", "A2", 2)
    kept.put("d", "D", 11)
    assert [kept.find(key) for key in "acd"] == ["A2", "C", None]
