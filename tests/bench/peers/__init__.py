"""The index beside other libraries, on the same vectors and the same questions, in one run."""
