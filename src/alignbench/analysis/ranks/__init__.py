"""Who is better: simultaneous rank sets."""
