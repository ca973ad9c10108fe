"""Events told to other systems by HTTP: signed, at least once, and only to addresses that may be called."""
