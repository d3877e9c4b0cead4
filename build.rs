//! Embedded folders are read at compile time; cargo has to be told when they change.

fn main() {
    for folder in ["migrations", "static", "templates", "legal"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}
