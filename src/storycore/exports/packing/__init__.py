"""How a package is written: what goes in, under which names, in which bytes. Knows nothing of `checking`."""
