"""What pages load of the widget."""

from __future__ import annotations

import re
from pathlib import Path

import brotli

import saas.widget

FILES = Path(saas.widget.__file__).parent / "static" / "widget"
LOADER, CHAT = 3_072, 20_480  # bytes, compressed


def test_the_files_stay_small_and_the_loader_alone() -> None:
    sizes = {file.name: len(brotli.compress(file.read_bytes())) for file in FILES.glob("*.js")}
    loader = (FILES / "widget.js").read_text()
    assert sizes.pop("widget.js") <= LOADER
    assert sum(sizes.values()) <= CHAT
    assert re.findall(r"\bimport\b.*?\.js", loader) == [
        'import(new URL("chat.js'
    ]  # at the first click
