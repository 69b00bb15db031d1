//! Runs a stage over a stream of records: maps, folds and what passes through.
