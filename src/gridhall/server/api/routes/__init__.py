"""One file per noun, each with a `router`."""
