"""The way of a document: found, read, cleaned, cut into chunks, embedded, written to the library."""
