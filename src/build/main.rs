//! What is made before Folio is compiled.

mod looks;
mod unwinder;

fn main() {
    println!("cargo::rerun-if-changed=src/build");
    looks::write();
    unwinder::link();
}
