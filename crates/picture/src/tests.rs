//! Hostile and odd pictures, all made here.
