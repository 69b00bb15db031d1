//! What a tool's man page says beyond its flags.

/// How a tool may be cut into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Each record's fate depends on that record alone.
    Map,
    /// All records must have been seen.
    Fold,
    /// It ends a pipeline.
    Sink,
}

/// A command for the EXAMPLES section. All of them are executed by tests.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// What it does.
    pub says: &'static str,
    /// The command line.
    pub command: &'static str,
}

/// The sections of a man page that clap does not know.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The tool's name, such as `rs-kmeans`.
    pub name: &'static str,
    /// How it may be cut into parts.
    pub shape: Shape,
    /// What it reads on standard input.
    pub stdin: &'static str,
    /// Which records it takes and what it makes of them; paragraphs are parted by blank lines.
    pub records: &'static str,
    /// What its memory grows with.
    pub memory: &'static str,
    /// How to split the work over shards or machines.
    pub parallel: &'static str,
    /// Commands that work as they stand.
    pub examples: &'static [Example],
    /// Other tools and papers.
    pub see_also: &'static str,
}
