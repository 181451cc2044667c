"""The AT Protocol's own words as plain values: identifier syntax, datetimes, TIDs, XRPC parameters and errors."""
