"""The index: Chroma's vectors and BM25 postings. It can be made again from the library."""
