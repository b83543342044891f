"""The page in a web view over an own URL scheme: everything is served from here, all else is refused.

Imported only where the extra is installed: WebEngine takes its time and 370 MB.
"""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QFile, QIODevice, QObject, QUrl, QUrlQuery, Signal
from PySide6.QtWebEngineCore import (
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineScript,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
    QWebEngineUrlRequestJob,
    QWebEngineUrlScheme,
    QWebEngineUrlSchemeHandler,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from studio.gui.netron import pages

_SCHEME, _HOST = "trimtab", "netron"
_OWN = (_SCHEME, "data", "blob", "qrc")
_Flag = QWebEngineUrlScheme.Flag


def prepare() -> None:
    """Make the scheme known, once, before the first profile; a process of root's runs without sandbox."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")  # Chromium refuses it for root
    if QWebEngineUrlScheme.schemeByName(_SCHEME.encode()).name():
        return
    scheme = QWebEngineUrlScheme(_SCHEME.encode())
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    scheme.setFlags(_Flag.SecureScheme | _Flag.CorsEnabled | _Flag.FetchApiAllowed)
    QWebEngineUrlScheme.registerScheme(scheme)


class Handler(QWebEngineUrlSchemeHandler):
    """Answers for the page, the model, and a click on a node (`picked`)."""

    picked = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.path, self.dark = Path(), True

    def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:  # noqa: N802 - Qt's own name
        url = job.requestUrl()
        name = url.path().lstrip("/")
        if name == pages.PICKED:
            self.picked.emit(
                QUrlQuery(url).queryItemValue("name", QUrl.ComponentFormattingOption.FullyDecoded)
            )
            _reply(job, b"", b"text/plain")
        elif name == f"{pages.MODEL}/{self.path.name}":
            self._model(job)
        elif name == "index.html":
            _reply(job, pages.page(self.path.name, self.dark), b"text/html")
        elif (found := pages.part(name, self.dark)) is not None:
            _reply(job, *found)
        else:
            job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)

    def _model(self, job: QWebEngineUrlRequestJob) -> None:
        file = QFile(str(self.path), job)
        if file.open(QIODevice.OpenModeFlag.ReadOnly):
            job.reply(b"application/octet-stream", file)
        else:
            job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)


def _reply(job: QWebEngineUrlRequestJob, content: bytes, kind: bytes) -> None:
    buffer = QBuffer(job)
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    job.reply(kind, buffer)


class Fence(QWebEngineUrlRequestInterceptor):
    """Blocks every request that is not for our own scheme; `refused` counts them."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.refused: list[str] = []

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:  # noqa: N802 - Qt's own name
        if info.requestUrl().scheme() not in _OWN:
            self.refused.append(info.requestUrl().toString())
            info.block(True)


class Browser(QWebEngineView):
    """Shows a model file; `picked` is the name of a node that was clicked."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        prepare()
        super().__init__(parent)
        self.profile = QWebEngineProfile(self)  # off the record: nothing is kept on disk
        self.fence, self.handler = Fence(self.profile), Handler(self.profile)
        self.profile.setUrlRequestInterceptor(self.fence)
        self.profile.installUrlSchemeHandler(_SCHEME.encode(), self.handler)
        self.profile.scripts().insert(_script())
        self._page = QWebEnginePage(self.profile, self)
        self.setPage(self._page)
        self.handler.picked.connect(self.picked)

    def open(self, path: Path, dark: bool) -> None:
        """Load Netron with the model at `path`."""
        self.handler.path, self.handler.dark = path, dark
        self.load(QUrl(f"{_SCHEME}://{_HOST}/index.html"))

    def show_node(self, name: str) -> None:
        """Select the node of this name and scroll to it, where the page shows it."""
        self._page.runJavaScript(pages.find(name))

    def end(self) -> None:
        """Let go of the page before its profile, as Qt asks for."""
        delete(self._page)


def _script() -> QWebEngineScript:
    made = QWebEngineScript()
    made.setName("trimtab")
    made.setSourceCode(pages.SCRIPT)
    made.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
    made.setWorldId(QWebEngineScript.ScriptWorldId.MainWorld)
    return made
