"""The page of a run: one self-contained HTML file, read from the run's own files only.

It is also right about a run that failed or was cut short, since it asks nothing that is alive.
"""

from __future__ import annotations

from devnet.runs.report.page import write_report

__all__ = ["write_report"]
