//! What slows down guessing: attempts at one address, and attempts by one client at many addresses.

pub(super) mod address;
pub(super) mod client;

use address::AddressLimit;
use client::ClientLimit;

/// The pool's limits. In memory: a restart forgets them.
#[derive(Default)]
pub(super) struct Limits {
    pub(super) passwords: AddressLimit,
    /// Of browsers in which the person has signed in before: strangers who guess lock out strangers only.
    pub(super) passwords_of_known_browsers: AddressLimit,
    pub(super) password_clients: ClientLimit,
    pub(super) codes: AddressLimit,
    pub(super) code_clients: ClientLimit,
    /// How often mail to one address may be asked for.
    pub(super) mails: AddressLimit,
}
