"""What the statistics say and what could be changed because of it: findings, recommendations."""
