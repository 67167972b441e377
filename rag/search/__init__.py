"""The first half of the way of a question: passages found by words and vectors, fused, reranked, widened."""
