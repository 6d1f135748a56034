"""The page of a run: one self-contained HTML file, read from the run's own files only.

It is also right about a run that failed or was cut short, since it asks nothing that is alive.
"""

from __future__ import annotations

from pathlib import Path


def write_report(path: Path, verdict: str = "", *, cluster: str = "") -> Path:
    """See `devnet.report.page.write_report`; templates and charts are loaded when needed."""
    from devnet.report import page

    return page.write_report(path, verdict, cluster=cluster)


__all__ = ["write_report"]
