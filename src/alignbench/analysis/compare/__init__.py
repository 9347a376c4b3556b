"""What changed: two sets of outputs, paired by what they answer."""
