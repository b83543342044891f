"""What Netron's page is made of: its files, changed on the way so that it stays offline and asks nothing.

Netron (MIT, github.com/lutzroeder/netron) is a web page with readers for about seventy formats. As it
ships it refuses to run 180 days after its build, asks for consent to telemetry and looks up where one is.
"""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import PurePosixPath

MODEL = "model"  # the folder of the page's address under which the model is served
PICKED = "picked"
KINDS = {
    ".html": b"text/html",
    ".js": b"text/javascript",
    ".css": b"text/css",
    ".json": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".ico": b"image/x-icon",
}
_META = re.compile(r'<meta name="(?:version|date)"[^>]*>')
_DARK = "(prefers-color-scheme: dark)"

# Runs before the page's own scripts: answers the question for consent, and tells which node was clicked
# by asking for an address that the handler knows.
SCRIPT = """
Object.defineProperty(Document.prototype, 'cookie', { get: () => 'consent=1', set: () => undefined });
document.addEventListener('click', () => setTimeout(() => {
    const target = window.__view__ && window.__view__.target;
    for (const element of target && target.selection ? target.selection : []) {
        const node = element.value;
        if (node && node.name) {
            fetch('picked?' + new URLSearchParams({ name: node.name }));
        }
    }
}, 0), true);
"""

# Selects the node of a name and brings it into sight, once the model is drawn.
FIND = """
(() => {
    const target = window.__view__ && window.__view__.target;
    for (const value of target && target._table ? target._table.keys() : []) {
        if (value && value.name === %s && value.type && value.inputs) {
            target.scrollTo(target.select([value]));
            return true;
        }
    }
    return false;
})()
"""


def find(name: str) -> str:
    """The script that finds the node `name` in the page."""
    return FIND % json.dumps(name)


def page(model: str, dark: bool) -> bytes:
    """The page that opens the model of this name at once."""
    text = (files("netron") / "index.html").read_text("utf-8")
    name = escape(model, quote=True)
    metas = (("version", "0.0.0"), ("type", "Trimtab"), ("file", f"{MODEL}/{name}"), ("name", name))
    head = "".join(f'<meta name="{key}" content="{value}">' for key, value in metas)
    text = _META.sub("", text).replace("<title>", f"{head}<title>", 1)
    return _dressed(text, dark).encode()


def _dressed(text: str, dark: bool) -> str:
    """The style of our theme, not of the desktop."""
    return text.replace(_DARK, "all" if dark else "not all")


@cache
def part(name: str, dark: bool) -> tuple[bytes, bytes] | None:
    """(content, kind) of one of the page's files; None where there is none of that name."""
    kind = KINDS.get(PurePosixPath(name).suffix)
    found = files("netron") / name
    if kind is None or "/" in name or not found.is_file():
        return None
    content = found.read_bytes()
    return (_dressed(content.decode(), dark).encode(), kind) if name.endswith(".css") else (content, kind)
