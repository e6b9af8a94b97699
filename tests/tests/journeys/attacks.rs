//! The portal and the endpoints under attack: each attack is tried against the product as a user starts it, and fails.

mod files;
mod floods;
mod foreign_sites;
mod images;
mod names;
mod passwords;
mod signatures;
mod tasks;
mod templates;
mod uploads;
