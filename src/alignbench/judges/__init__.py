"""The judge as an instrument: how it is examined, marked, attacked, and combined with others."""
