"""Which value is served: win shares, orders and worths."""
