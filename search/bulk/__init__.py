"""Process bulk listing jobs: input files, job store, worker, review and exports."""
