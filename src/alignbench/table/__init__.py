"""The verdict table: declared columns, reading and checking it, and counting it."""
