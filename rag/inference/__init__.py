"""Neural networks: llama.cpp, sentence-transformers, and the files of their models."""
