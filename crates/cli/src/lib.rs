//! Flags, exit codes and generated documentation that all tools share.
