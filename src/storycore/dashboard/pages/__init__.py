"""One module for each page: it asks the library, and says which template shows the answers."""
