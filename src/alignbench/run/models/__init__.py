"""Models without a key: scripted personas with known rates, and real ones through llama.cpp."""
