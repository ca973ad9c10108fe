"""A whole delivery of a film by one template: what it holds, how it is made, and its list of checksums."""
