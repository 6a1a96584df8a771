"""The native engine against the reference engine, and against itself."""
