"""The training of the model in ``rag/models``, from question and claim sets to one GGUF file.

    python -m rag.training DATA OUT

`datasets` reads the sets. `edits` changes sentences and questions so that they become wrong or stay
right; `synthetic` makes examples with these edits. `mixture` draws the examples of an epoch from
both. `network` is the network, `train` the loop, `fit` the last fitted numbers, `export` the file.
`figures` and `measure` measure the model on documents kept out of training. Every step is seeded.
The log, the figures and the SHA-256 of every input are stored next to the weights. Only this
package needs training data, and no other package imports it.
"""
