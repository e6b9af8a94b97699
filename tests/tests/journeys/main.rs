//! Journeys without a browser, and the repository's own rules: one program, because linking the product takes longer
//! than running most of them. One kind of journey alone: `cargo test -p tests --test journeys attacks::`.

mod attacks;
mod calls;
mod clients;
mod disk;
mod docs;
mod rules;
mod template;
mod workforce;
