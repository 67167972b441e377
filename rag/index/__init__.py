"""The index: Chroma's vectors and BM25 postings, made from the library and never the only copy of anything."""
