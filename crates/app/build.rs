//! Compiles the program again when another dashboard was built.

fn main() {
    println!("cargo:rerun-if-changed=../../dashboard/dist");
}
