"""Speeds, each as a ratio to something measured in the same run: ``make bench``."""
