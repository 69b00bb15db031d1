//! One self-contained HTML page from any records.
