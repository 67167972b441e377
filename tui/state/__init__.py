"""What the chat knows between two events: the cursor in an answer, the queue of questions, progress."""
