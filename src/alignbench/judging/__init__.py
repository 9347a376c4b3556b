"""The judge as an instrument: its examination, labels by people, and what follows from them."""
