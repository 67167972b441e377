"""How the model in ``rag/models`` was made: question and claim sets in, one GGUF out.

    python -m rag.training DATA OUT

`sets` reads what people wrote; `swaps` edits sentences and questions so that they become wrong, or stay right; `made`
puts those edits to work; `mixture` draws an epoch from both; `trunk` is the network, `train` the loop, `figures` what it
is measured by on documents it has not seen, `ship` the file. Every step is seeded, and the log, the figures and the SHA-256
of every input stay beside the weights. torch and training data are needed here and nowhere else in the package.
"""
