"""Exercises and their grader."""
