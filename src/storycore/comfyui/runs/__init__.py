"""Runs of workflows, as the database knows them."""
