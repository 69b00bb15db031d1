//! rs-kmeans.
fn main() {}
