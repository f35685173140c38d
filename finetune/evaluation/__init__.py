"""How good is a student, and what of it survives each step?  Held-out rows in, measured tables out.

Deterministic measures first (taxlaw's verifier and calculators), text overlap for continuity with the field, an LLM judge
only when asked for.  Knows nothing of training.
"""
