"""The live page: `report --serve` shows a results directory in a browser while runs progress."""
