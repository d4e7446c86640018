"""The gateway's configuration looked at: checked, explained, shown to those who run the gates."""
