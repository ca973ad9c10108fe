"""How a foreign package is read and judged. Shares nothing with `packing`, so that no mistake is made on both sides."""
