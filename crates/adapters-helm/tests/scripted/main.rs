//! The adapter over a scripted helm: what it is called with, and what is made of every way in which it can end.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail the test")]

mod install;
mod processes;
mod uninstall;
mod version;
mod world;
