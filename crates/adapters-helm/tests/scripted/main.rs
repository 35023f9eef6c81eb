//! The adapter over a scripted helm: what it is called with, and what is made of every way in which it can end.

mod install;
mod processes;
mod uninstall;
mod version;
mod world;
