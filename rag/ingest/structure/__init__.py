"""Finds the structure of a text: tables, records, lists, questions with their answers.

Pure functions on text, one module a kind. `find.find_units` calls them.
"""
