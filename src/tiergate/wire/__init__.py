"""JSON at the level of bytes: where an object's members stand, and how to edit them in place."""
