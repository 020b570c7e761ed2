"""From records to the values, verdicts and claims of a report."""
