"""python -m data_gen report DATASET: write report.html into the dataset folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands) -> None:
    """Add ``report`` to the sub-commands."""
    parser = commands.add_parser("report", help="데이터셋의 보고서를 쓴다 (write report.html, opens from disk)")
    parser.add_argument("dataset", type=Path, help="데이터셋 폴더")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 and the path on the screen.  Raises BadInput when the folder is no dataset."""
    from data_gen.report.page import write_report

    path = write_report(arguments.dataset)
    print(f"보고서: {path} ({path.stat().st_size / 1e6:,.1f} MB)")
    return 0
