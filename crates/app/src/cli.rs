//! The command line: what `shopwright` understands ([`definition`]), and the commands that talk to a server's API ([`client`]).

pub mod client;
pub mod definition;
