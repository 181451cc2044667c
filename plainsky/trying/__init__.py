"""What would a config do, what did it do, and would anybody else find the same: backtest, explain, verify."""
