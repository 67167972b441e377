"""Finds the passages for a question: by words and by vectors, fused, reranked and widened."""
