"""Chat models that can be fetched, fetching them, and the files that are there."""
