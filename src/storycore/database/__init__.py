"""One database: a SQLite file, or Postgres by URL."""
