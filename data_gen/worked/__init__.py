"""Worked examples: questions from templates, answers from our own calculators."""
