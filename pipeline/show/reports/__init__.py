"""What a report says, as plain data read from a published copy; printing it is the caller's."""
