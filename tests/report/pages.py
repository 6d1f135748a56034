"""A page as a test asks about it: its parts, and what a browser makes of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

from devnet.base.errors import MachineLacks

# Elements that load what their attribute names, as a browser does without being asked.
LOADING = {"src", "srcset", "poster", "data", "background", "action"}


class Page(HTMLParser):
    """What of a page a test asks about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.tables: list[bool] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.loaded: list[str] = []
        self.tags: dict[str, int] = {}
        self.handlers: list[str] = []
        self._heading = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self._heading = bool(re.fullmatch("h[1-6]", tag))
        if self._heading:
            self.headings.append(f"{tag} ")
        if tag == "table":
            self.tables.append(False)
        if tag == "caption":
            self.tables[-1] = True
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and tag == "a":
                self.anchors.append(value or "")
            elif name in LOADING or (name == "href" and tag != "a"):
                self.loaded.append(f"{tag} {name}={value}")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        if self._heading:
            self.headings[-1] += data
            self._heading = False


def in_browser(page: Path, profile: Path, *, width: int = 1280) -> str:
    """The page's elements after its scripts ran, in a browser that can reach no other host."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise MachineLacks("no chromium on PATH: apt-get install -y chromium")
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile / 'browser'}",
            f"--window-size={width},2000",
            "--enable-logging=stderr",
            "--virtual-time-budget=10000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert said == [], said
    return done.stdout
