"""Experiments: comparing declared arms, at one planned end or at any number of looks."""
