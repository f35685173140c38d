"""The HTML report of a dataset: one file that opens from disk, with everything in it and nothing fetched."""

from data_gen.report.page import write_report

__all__ = ["write_report"]
