//! Files end to end.
