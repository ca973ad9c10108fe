"""What procrastinate keeps beside our tasks, in the same Postgres."""
