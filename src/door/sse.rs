//! Bytes of an event stream in, its messages out (WHATWG HTML §9.2).
