"""Where shared state is kept: each module is one kind of store behind a port."""
