//! The fabric of a demonstration: it takes every order, and the next time that it is asked it has done it. Nothing is
//! made anywhere, which every page of a demonstration says.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::fabric::{Attributes, Fabric, Order, Outcome};
use crate::ids;

pub struct Simulated;

impl Fabric for Simulated {
    fn deliver<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Outcome> {
        let outcome = if order.accepted { Outcome::Done(attributes(order)) } else { Outcome::Accepted };
        std::future::ready(outcome).boxed()
    }
}

/// The same for the same port, however often it is asked.
fn attributes(order: &Order) -> Attributes {
    let digest = ids::sha256_hex(order.subject.as_bytes());
    let number = |at: usize, most: u32| u32::from_str_radix(&digest[at..at + 4], 16).unwrap_or(0) % most + 1;
    let of_port = [
        ("deviceId", format!("simulated-ras{}", number(0, 4))),
        ("interfaceId", format!("simulated-ras{}-swp{}", number(0, 4), number(4, 48))),
        ("patchPanelId", format!("SIM-{:04}|PP:{:04}", number(8, 9999), number(12, 9999))),
    ];
    let of_connection = [("fabric", "simulated".to_owned())];
    let named = |(name, value): (&str, String)| (name.to_owned(), value);
    if order.is_port { of_port.map(named).into() } else { of_connection.map(named).into() }
}
