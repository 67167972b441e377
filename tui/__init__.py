"""The screen: a face over the engine. It knows the nouns, events and errors, and nothing of models or indexes."""
