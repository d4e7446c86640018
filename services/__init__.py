"""What is promised: the contracts, and their SOAP binding. Imports nothing of ours."""
