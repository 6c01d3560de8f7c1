"""Values and rules of a build: no I/O, no clock, no asyncio."""
