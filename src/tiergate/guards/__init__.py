"""Guards: each looks at texts and says what it found; `pipeline` decides what follows from it.

Nothing here changes a text or stops a call. What needs a library is imported only when a
configuration asks for it.
"""
