"""Which folders of this machine the pods of native nodes may name."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path


class HandedFolders:
    """The list that kubelets read when they take a pod: a pod's annotation is anybody's to write,
    and a node can read what a pod's author may not. It only grows, and what is below a folder of it
    may be named too."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._folders: list[Path] = []
        self._writing = threading.Lock()

    def hand(self, *folders: Path) -> None:
        """Before a pod names them: the list is written when this returns."""
        with self._writing:
            self._folders += [each for each in folders if each not in self._folders]
            self.file.parent.mkdir(parents=True, exist_ok=True)
            part = self.file.with_suffix(".part")
            part.write_text(json.dumps([str(each) for each in self._folders]), encoding="utf-8")
            os.replace(part, self.file)
