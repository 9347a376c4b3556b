"""What is asked: scenario packs, data only."""
