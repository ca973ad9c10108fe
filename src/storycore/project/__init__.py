"""A film project: one model, read tolerantly from every known shape of project folder."""
