"""Answers a question from passages: completes it, writes, parses the citations, checks."""
