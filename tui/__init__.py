"""The chat in the terminal. It uses the engine, and imports no model and no index."""
