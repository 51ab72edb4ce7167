"""What a daily, weekly or monthly report says, whatever it is written to."""
