//! A REST call in, observation out.
