"""What a design will show before it is run, and what it costs."""
