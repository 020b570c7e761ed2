"""The LaTeX writer: tables for other documents to input, figures, and the whole report as a document and a PDF."""
