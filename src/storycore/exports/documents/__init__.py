"""Documents about a film: what stands on their pages, their pictures, and how they are typeset."""
