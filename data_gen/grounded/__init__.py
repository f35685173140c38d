"""Pairs made by rule from statute text: a question, what a search finds for it, an answer that quotes the right source."""
