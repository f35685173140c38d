"""Asking a live teacher: requests, the store of responses, limits, money, batch files.  Knows nothing of gates or splits."""
