//! A new migration is a reason to compile again: `sqlx::migrate!` reads the directory when this crate is compiled.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
