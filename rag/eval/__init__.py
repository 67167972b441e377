"""Evaluation: asks questions with known answers and reports figures with their uncertainty.

`cases` reads the questions, `run` asks and scores each (`scoring`, `metrics`), `interval` makes the
summary figures, `report` prints them. `checker` measures the claim checker by itself.
"""
