//! The map of rolecall: modules in the order in which data flows; each imports only from those above it.

pub mod reference;
