//! Record types, identities and schema tags of the pipeline's JSON Lines.
