"""The audit trail: every call on record, chained, kept, and checked."""
