"""Every layer and loss against the same contract."""
