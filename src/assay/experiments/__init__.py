"""What is found out by training several times: which setting is best, how much of a figure is luck."""
