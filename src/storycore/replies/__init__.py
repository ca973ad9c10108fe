"""Answers that are given again when the same call comes twice."""
