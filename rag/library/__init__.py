"""The library in SQLite: documents, passages, vectors, words, conversations. The truth."""
