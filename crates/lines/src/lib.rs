//! Line reader and writer, ordered parallel map, rejects, atomic output and resume.
