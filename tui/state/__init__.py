"""The state of the chat: the cursor in an answer, the queue of questions, progress."""
