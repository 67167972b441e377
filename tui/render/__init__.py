"""Values of the domain as text and styles for the chat."""
