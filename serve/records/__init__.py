"""What was asked, answered and voted, in one SQLite file of the person's own.  Knows nothing of models or of screens."""
