"""What people see: the command line and the reports it prints."""
