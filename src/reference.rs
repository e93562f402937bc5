//! Faults in, a running Product Catalog out: identity provider, gateway, API and MCP server on loopback.

mod api;
mod call;
mod chance;
mod deployment;
mod expected;
mod fault;
mod gateway;
mod idp;
mod mcp;
mod policy;
mod reply;
mod traffic;
#[cfg(test)]
mod trial;

pub use api::Product;
pub use deployment::Deployment;
pub use expected::Expected;
pub use fault::{Fault, UnknownFault};
pub use gateway::Trusted;
pub use traffic::{Listener, Seen};
