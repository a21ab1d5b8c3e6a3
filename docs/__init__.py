"""The documents, and in `showcase` what makes their pictures and sounds."""
