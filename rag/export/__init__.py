"""Saved answers, read back and written for other programs: Markdown, HTML, a bundle to verify."""
