"""Care of a library: find damage (doctor), repair it, explain where a passage was lost."""
