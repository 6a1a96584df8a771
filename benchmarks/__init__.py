"""Benchmarks: chainrule and other frameworks, the same networks on the same threads, in one run."""
