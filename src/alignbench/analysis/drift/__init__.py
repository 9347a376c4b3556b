"""The same scenarios under other circumstances, and turn by turn."""
