"""Everything that runs a network: llama.cpp, sentence-transformers, their files and how those are checked."""
