"""Candidates measured by the workers of a real Dask cluster of two processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import LocalCluster

from studio.control import Cancelled, Control
from studio.data.reference import DataRef
from studio.errors import WorkerError
from studio.metrics import Sensitivity
from studio.paths import cache_dir
from studio.search.budgets import Budgets, Effort, Wish
from studio.search.front import Found, Visited
from studio.session.session import Session
from studio.workbench.api import ModelRef
from studio.workbench.cluster import Crew, Files
from studio.workbench.local import LocalWorkbench

pytestmark = pytest.mark.slow
BUDGETS = Budgets(max_drop=2.0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        local_directory=str(folder),
        env={"TRIMTAB_HOME": str(folder / "home")},
    ) as cluster:
        cluster.wait_for_workers(2, timeout=60)
        yield cluster


@pytest.fixture
def session(net: Path, net_data: Path, tmp_path: Path) -> Iterator[Session]:
    session = Session(LocalWorkbench(tmp_path / "here", threads=1))
    session.open(net, Control())
    session.attach_data(DataRef(str(net_data)), Control())
    yield session
    session.close()


def figures(found: Found) -> list[tuple[str, str, int, float, float | None]]:
    return [
        (
            each.label,
            each.artifact.sha256,
            each.artifact.bytes,
            each.comparison.difference.value,
            each.comparison.sqnr_db,
        )
        for each in found.visited
    ]


@pytest.fixture
def local(session: Session, net: Path, net_data: Path, tmp_path: Path) -> Found:
    """What this computer alone finds, in a workbench that shares nothing with the other."""
    other = Session(LocalWorkbench(tmp_path / "alone", threads=1))
    other.open(net, Control())
    other.attach_data(DataRef(str(net_data)), Control())
    found = other.search(BUDGETS, Control()).value
    other.close()
    return found


def test_a_cluster_finds_the_same_though_a_worker_is_killed(
    session: Session, local: Found, cluster: LocalCluster
) -> None:
    killed: list[int] = []

    def emit(_: Visited) -> None:
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    effort = Effort(cluster=cluster.scheduler_address)
    found = session.search(BUDGETS, Control(), emit, effort).value
    assert killed
    assert figures(found) == figures(local)
    assert Path(found.best.artifact.path).stat().st_size == found.best.artifact.bytes


def test_sensitivity_on_a_cluster_is_that_of_this_computer_though_a_worker_is_killed(
    session: Session, cluster: LocalCluster, net: Path, net_data: Path, tmp_path: Path
) -> None:
    killed: list[int] = []

    def emit(_: Sensitivity) -> None:
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    other = Session(LocalWorkbench(tmp_path / "alone", threads=1))
    other.open(net, Control())
    other.attach_data(DataRef(str(net_data)), Control())
    local = other.sensitivity(Control(), rounds=1).value
    other.close()
    there = session.sensitivity(Control(), emit, 1, cluster.scheduler_address).value
    assert killed
    assert there == local
    assert not (tmp_path / "here" / "artifacts").exists()  # every file was built by the workers
    seen: list[str] = []
    again = session.sensitivity(Control(lambda _, text: seen.append(text)), rounds=1).value
    assert again == local
    assert not any("samples" in text for text in seen)  # what the workers told is kept here


def test_workers_that_see_other_paths_get_the_content(
    session: Session, cluster: LocalCluster, net: Path, net_data: Path
) -> None:
    job, data = session.job(), session.journal.document.data
    assert data is not None
    away = replace(job, model=ModelRef("/nowhere/net.onnx", job.model.key), data=DataRef("/nowhere/net.npz"))
    files = Files(net, job.model.key, (), net_data, data.key)
    with Crew(cluster.scheduler_address, files) as crew:
        seen = next(crew.visits([(away, Control())], Wish(BUDGETS)))
    here = session.workbench.visit(job, Wish(BUDGETS), Control())
    assert seen.artifact.sha256 == here.artifact.sha256
    assert seen.comparison == here.comparison


def test_a_cancelled_search_leaves_the_cluster_usable(session: Session, cluster: LocalCluster) -> None:
    effort, control = Effort(cluster=cluster.scheduler_address), Control()
    with pytest.raises(Cancelled):
        session.search(BUDGETS, control, lambda _: control.cancel(), effort)
    assert len(session.state.visited) == 1
    assert session.search(BUDGETS, Control(), effort=effort).value.visited


def test_a_cluster_that_is_not_there_is_named(session: Session) -> None:
    with pytest.raises(WorkerError, match="no scheduler answers"):
        session.search(BUDGETS, Control(), effort=Effort(cluster="tcp://127.0.0.1:9"))


def test_times_of_this_computer_are_not_asked_of_others(session: Session, cluster: LocalCluster) -> None:
    with pytest.raises(WorkerError, match="the time on this computer"):
        session.search(Budgets(max_latency=1.0), Control(), effort=Effort(cluster=cluster.scheduler_address))
    assert not (cache_dir() / "received").exists()
