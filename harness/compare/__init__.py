"""Two result sets against each other: cell by cell with significance, and which parameters differ."""
