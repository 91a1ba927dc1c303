//! Chain, service, stand-ins and desktop for the flows that need the real thing.
