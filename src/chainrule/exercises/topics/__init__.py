"""The exercises, one module for each part of the book: what they are tried on, and the mistakes that only they know."""
