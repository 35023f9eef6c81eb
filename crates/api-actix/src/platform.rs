//! `/platform`: what platform administrators see and do over all organisations.

pub(crate) mod clusters;
pub(crate) mod users;

#[cfg(test)]
mod tests;
