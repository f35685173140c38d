"""The HTML report of a dataset: one file that opens from disk, with everything in it and nothing fetched (page.py)."""
