"""Takes documents in: finds, reads, cleans, chunks and embeds them, writes them to the library."""
