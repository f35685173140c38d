"""Search over articles of the tax laws and rulings: words only, no model, no network.

``open_search(folders)`` gives a ``Search``; ``Search.find(question, as_of, limit)`` gives hits, best first.
"""

from taxlaw.search.passages import Hit, Passage
from taxlaw.search.search import Search, open_search

__all__ = ["Hit", "Passage", "Search", "open_search"]
