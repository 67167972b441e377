"""The second half of the way of a question: completed, answered by a writer, cited, checked."""
