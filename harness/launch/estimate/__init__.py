"""Cost estimates: measured throughput, extrapolated to the remaining work."""
