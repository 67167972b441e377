"""Helpers of tests and make targets."""
