"""The operations of the core, each a record of what it reads, what it writes, and its numbers.

A record's name in the core is its class's: MaxPoolForward is "max_pool_forward". `tests/engines/test_records.py`
compares all fields with those of the core in both directions.
"""
