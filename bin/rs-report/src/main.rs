//! rs-report.
fn main() {}
