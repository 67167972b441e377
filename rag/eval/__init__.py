"""Scripted runs: questions with known answers go in, figures with their uncertainty come out.

cases (what is asked) -> run (ask, and score each case) -> interval (summary figures) -> report (for a terminal);
checker measures the claim checker by itself. `score` is the arithmetic and knows nothing of the rest of the library.
"""
