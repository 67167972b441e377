"""Pure functions over text: sentences, facts, copies, boilerplate, what is safe to show. No files, no models."""
