"""Registration, as far as it is the same at every vendor: our table, the ledger, states, expiry."""
