//! The fields of each question, with what can be chosen and what stands there at first.

use super::{Choice, FieldView, Look, Question};
use crate::catalogue::Term;
use crate::connections::asking::answers::Progress;
use crate::connections::keys::PreSharedKey;
use crate::connections::lines::{Narrowing, Offer};
use crate::connections::reach::Usable;
use crate::connections::settings::{Kind, Peering, ike, vpn};
use crate::text;

fn choice(value: impl Into<String>, words: impl Into<String>, more: impl Into<String>) -> Choice {
    (value.into(), words.into(), more.into())
}

/// The first question, which needs no answers.
pub fn of_kind(offer: &Offer) -> Vec<FieldView> {
    let kinds = offer.kinds.iter().map(|kind| choice(kind.code(), kind.words(), kind.hint())).collect();
    vec![FieldView::new(Look::Radios, "kind", "Kind of connection", "").with(kinds)]
}

/// The fields of any other.
pub fn of(question: Question, progress: &Progress, offer: &Offer) -> Vec<FieldView> {
    let (kind, double) = (progress.kind, progress.narrowed.is_double());
    match question {
        Question::Kind => of_kind(offer),
        Question::Port => vec![ports("port", "Port", &offer.ports)],
        Question::SecondPort => {
            let first = offer.port(progress.answer("port"));
            let others: Vec<Usable> = offer
                .ports
                .iter()
                .filter(|port| first.is_some_and(|first| port.facility == first.facility && port.key != first.key))
                .cloned()
                .collect();
            vec![ports("second_port", "Second port", &others)]
        }
        Question::Location => narrowing(Narrowing::Location, "Location", progress, offer),
        Question::Region => narrowing(Narrowing::Region, "Cloud region", progress, offer),
        Question::Peering => narrowing(Narrowing::Peering, "Peering", progress, offer),
        Question::Availability => narrowing(Narrowing::Availability, "Gateways", progress, offer),
        Question::Speed => narrowing(Narrowing::Speed, "Speed", progress, offer),
        Question::Term => vec![terms(progress, offer)],
        Question::Vlan => vlans(progress, offer, double),
        Question::Details => details(kind, progress),
        other => of_settings(other, kind, double, progress.answer("ike") != "V1"),
    }
}

/// The fields that do not depend on what is offered: also for a change of the settings.
pub fn of_settings(question: Question, kind: Kind, double: bool, v2: bool) -> Vec<FieldView> {
    let line = |name, label: &str, hint: &str| FieldView::new(Look::Line, name, label, hint);
    let area = |name, label: &str, hint: &str| FieldView::new(Look::Area, name, label, hint);
    let pair = |first: FieldView, second: FieldView| if double { vec![first, second] } else { vec![first] };
    match question {
        Question::Vlan => pair(
            line("vlan", "VLAN", "A whole number from 1 to 4094."),
            line("second_vlan", "VLAN on the second port", "A whole number from 1 to 4094."),
        ),
        Question::Router => pair(
            line("router", "Public address of your router", "An IPv4 address that is reached over the internet."),
            line("second_router", "Public address of your second router", "Another address than the first."),
        ),
        Question::Routing if kind == Kind::SiteIpsecVpn => {
            let ways = vpn::ROUTINGS.map(|(code, words, more)| choice(code, words, more)).to_vec();
            vec![FieldView::new(Look::Radios, "routing", "Routing", "").with(ways)]
        }
        Question::Routing => vec![FieldView::new(Look::Radios, "routing", "Routing", "").with(vec![
            choice("BGP", "BGP", "Both sides tell each other their networks"),
            choice("STATIC", "Static routes", "You list the networks of your side"),
        ])],
        Question::Asn => {
            let hint = "A public ASN that is yours, or a private one: 64512 to 65534, or 4200000000 to 4294967294.";
            vec![line("asn", "ASN of your side", hint)]
        }
        Question::Routes => {
            vec![area("routes", "Static routes", "One to a line, as “10.1.0.0/16 via 10.0.0.4”. Up to 100.")]
        }
        Question::Selectors => {
            let hint = "Pairs, one to a line, yours first, as “20.2.1.0/24 = 52.92.32.0/22”. Up to 100.";
            vec![area("selectors", "Traffic selectors", hint)]
        }
        Question::Networks => vec![networks(false)],
        Question::Ike => vec![FieldView::new(Look::Radios, "ike", "IKE version", "").with(vec![
            choice("V2", "IKEv2", "The one to choose unless your router has none"),
            choice("V1", "IKEv1", "For old routers"),
        ])],
        Question::Parameters => parameters(v2),
        Question::Circuit => match kind {
            Kind::Aws => vec![line("aws_account", "AWS account id", "12 digits, as the AWS console shows them.")],
            Kind::Azure => {
                let hint = "As Azure shows it for the circuit: e28cea0c-de25-4dce-b7d7-d4776d523d4b.";
                vec![line("service_key", "Service key", hint)]
            }
            Kind::Google => pair(
                line("pairing_key", "Pairing key", "As Google shows it for the attachment; it ends with /1 or /2."),
                line("second_pairing_key", "Pairing key of the second attachment", "Another one than the first."),
            ),
            _ => pair(
                line("ocid", "OCID of the virtual circuit", "It begins with “ocid1.”."),
                line("second_ocid", "OCID of the second virtual circuit", "Another one than the first."),
            ),
        },
        _ => Vec::new(),
    }
}

fn networks(optional: bool) -> FieldView {
    let hint = "Blocks of addresses, one to a line, with a name if you like: “Office = 192.168.24.0/24”. Up to 100.";
    let view = FieldView::new(Look::Area, "customer_networks", "Customer networks", hint);
    if optional { view.optional() } else { view }
}

fn ports(name: &'static str, label: &str, ports: &[Usable]) -> FieldView {
    let one = |port: &Usable| {
        let whose = if port.own { "Own".to_owned() } else { format!("Shared by {}", port.owner) };
        let more = format!(
            "{whose}, {}. {} with {} left",
            port.facility_name,
            text::speed(port.speed),
            if port.free > 0 { text::speed(port.free) } else { "nothing".to_owned() }
        );
        choice(&port.id, &port.name, more)
    };
    FieldView::new(Look::Radios, name, label, "").with(ports.iter().map(one).collect())
}

fn narrowing(step: Narrowing, label: &str, progress: &Progress, offer: &Offer) -> Vec<FieldView> {
    let words = |value: &String| match step {
        Narrowing::Location => {
            let line = offer.lines.iter().find(|line| line.location.to_string() == *value);
            choice(value, line.map_or("", |line| &line.location_name), "")
        }
        Narrowing::Region => choice(value, offer.regions.get(value).unwrap_or(value), ""),
        Narrowing::Peering => choice(
            value,
            Peering::words(value),
            match value.as_str() {
                "PUBLIC" => "The provider's public services, without the internet",
                "TRANSIT" => "Many private clouds through one gateway",
                _ => "Your private clouds",
            },
        ),
        Narrowing::Availability if value == "double" => {
            choice(value, "Two gateways", "High availability: one takes over when the other fails")
        }
        Narrowing::Availability => choice(value, "One gateway", "It is down while its gateway is"),
        Narrowing::Speed => {
            let line = offer.lines.iter().find(|line| fits(line, progress, value));
            let price = line.and_then(|line| line.prices.offered().next()).map(|(_, code)| offer.price(code));
            let price = price.filter(|price| !price.is_empty()).map(|price| format!("From {price}"));
            choice(value, text::speed(value.parse().unwrap_or(0)), price.unwrap_or_default())
        }
    };
    let choices = progress.narrowed.options(step).iter().map(words).collect();
    vec![FieldView::new(Look::Radios, step.field(), label, "").with(choices)]
}

/// The line of this speed among those that the other answers leave.
fn fits(line: &crate::catalogue::SupportedConnection, progress: &Progress, speed: &str) -> bool {
    let narrowed = &progress.narrowed;
    line.speed.to_string() == speed
        && line.location.to_string() == narrowed.value(Narrowing::Location)
        && line.peering == narrowed.value(Narrowing::Peering)
        && line.high_availability == narrowed.is_double()
}

fn terms(progress: &Progress, offer: &Offer) -> FieldView {
    let line = progress.line(offer);
    let offered: Vec<(Term, &str)> = line.map(|line| line.prices.offered().collect()).unwrap_or_default();
    let choices = offered.into_iter().map(|(term, code)| choice(term.code(), term.words(), offer.price(code)));
    FieldView::new(Look::Radios, "term", "Term", "It cannot be changed later.").with(choices.collect())
}

fn vlans(progress: &Progress, offer: &Offer, double: bool) -> Vec<FieldView> {
    let mut views = of_settings(Question::Vlan, Kind::Port, double, true);
    for (view, port) in views.iter_mut().zip(["port", "second_port"]) {
        if let Some(port) = offer.port(progress.answer(port)) {
            let (least, most) = port.vlans;
            view.hint = format!("From {least} to {most}, and free on {}.", port.name);
            view.value = port.suggested().map_or_else(String::new, |vlan| vlan.to_string());
        }
    }
    views
}

fn details(kind: Kind, progress: &Progress) -> Vec<FieldView> {
    let line = |name, label: &str, hint: &str| FieldView::new(Look::Line, name, label, hint);
    let area = |name, label: &str, hint: &str| FieldView::new(Look::Area, name, label, hint).optional();
    let mut views = vec![
        line("name", "Name", "Up to 64 characters."),
        area("description", "Description", "Up to 1,024 characters."),
        area("tags", "Tags", "One to a line, as “cost centre: 42”."),
    ];
    let asked = kind == Kind::SiteIpsecVpn && progress.answer("routing") == "ROUTE_BASED_STATIC";
    views.extend((!asked).then(|| networks(true)));
    views
}

fn parameters(v2: bool) -> Vec<FieldView> {
    let menu = |name: &'static str, label: &str, none: bool| {
        let offered = ike::offered(name, v2).iter().copied();
        let values: Vec<&str> = none.then_some("").into_iter().chain(offered).collect();
        let choices = values.into_iter().map(|value| choice(value, ike::words(value), "")).collect();
        let mut view = FieldView::new(Look::Select, name, label, "").with(choices);
        view.value = ike::default_of(name).to_owned();
        view
    };
    let seconds = |name: &'static str, label: &str, hint: &str| {
        let mut view = FieldView::new(Look::Line, name, label, hint);
        view.value = ike::default_of(name).to_owned();
        view
    };
    let mut views = vec![
        FieldView::heading("IKE, the first phase"),
        menu("ike_encryption", "Encryption", false),
        menu("ike_integrity", "Integrity", true),
    ];
    views.extend(v2.then(|| menu("ike_prf", "Pseudo-random function", false)));
    views.extend([
        menu("ike_group", "Diffie-Hellman group", false),
        seconds("ike_lifetime", "Lifetime in seconds", "From 3600 to 86400."),
        seconds("dpd_delay", "Dead peer detection, delay in seconds", "From 1 to 900."),
        seconds("dpd_timeout", "Dead peer detection, timeout in seconds", "From 1 to 1000."),
        FieldView::heading("ESP, the second phase"),
        menu("esp_encryption", "Encryption of ESP", false),
        menu("esp_integrity", "Integrity of ESP", true),
        menu("esp_group", "Diffie-Hellman group of ESP", false),
        seconds("esp_lifetime", "Lifetime of ESP in seconds", "From 900 to 28800."),
    ]);
    views
}

/// The fields for pre-shared keys on the last page: each with one that was just made, to be copied or replaced.
pub fn keys(progress: &Progress) -> Vec<FieldView> {
    let hint = "A new one each time this page is opened, so copy it last, right before you place the order. Or put one \
                of yours in its place: 8 to 64 characters without blanks.";
    let labels = ["Pre-shared key", "Pre-shared key of the second gateway"];
    let view = |((_, field), label)| {
        let mut view = FieldView::new(Look::Line, field, label, hint);
        view.value = PreSharedKey::made().0;
        view
    };
    progress.key_fields().into_iter().zip(labels).map(view).collect()
}
