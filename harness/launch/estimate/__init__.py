"""How long runs will take: measured throughput, extrapolated to what is left to do."""
