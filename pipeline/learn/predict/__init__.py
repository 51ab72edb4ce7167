"""What a post will reach, said before it is posted: distributions, how sure they are, and why."""
