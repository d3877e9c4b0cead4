//! Names of companies, places and people that nobody has.

use rand::Rng;
use rand::rngs::StdRng;

const FIRST: [&str; 64] = [
    "Alder",
    "Amber",
    "Anchor",
    "Apex",
    "Arctic",
    "Atlas",
    "Aurora",
    "Beacon",
    "Birch",
    "Blue",
    "Bright",
    "Cascade",
    "Cedar",
    "Cobalt",
    "Compass",
    "Condor",
    "Coral",
    "Crown",
    "Crystal",
    "Delta",
    "Dune",
    "Eagle",
    "Ember",
    "Evergreen",
    "Falcon",
    "Fjord",
    "Forge",
    "Garnet",
    "Glacier",
    "Golden",
    "Granite",
    "Harbour",
    "Hazel",
    "Helix",
    "Horizon",
    "Indigo",
    "Iron",
    "Ivory",
    "Jade",
    "Juniper",
    "Keystone",
    "Lakeside",
    "Lantern",
    "Linden",
    "Lotus",
    "Lunar",
    "Maple",
    "Meridian",
    "Mistral",
    "Nordic",
    "Oak",
    "Onyx",
    "Orchid",
    "Pioneer",
    "Polar",
    "Quartz",
    "Ridge",
    "Saffron",
    "Silver",
    "Stone",
    "Summit",
    "Tundra",
    "Vertex",
    "Willow",
];
const TRADE: [&str; 32] = [
    "Analytics",
    "Bakery",
    "Brewing",
    "Ceramics",
    "Clinics",
    "Conserves",
    "Construction",
    "Consulting",
    "Dairy",
    "Design",
    "Energy",
    "Farms",
    "Foods",
    "Foundry",
    "Freight",
    "Glass",
    "Health",
    "Hotels",
    "Instruments",
    "Labs",
    "Logistics",
    "Media",
    "Mills",
    "Mining",
    "Motors",
    "Outdoor",
    "Paper",
    "Pharma",
    "Retail",
    "Robotics",
    "Shipping",
    "Textiles",
];
const FORM: [&str; 12] = ["GmbH", "Ltd", "AG", "BV", "SA", "Inc", "AB", "Oy", "SpA", "LLC", "A/S", "株式会社"];
const CITY: [&str; 40] = [
    "Amsterdam",
    "Athína",
    "Austin",
    "Barcelona",
    "Berlin",
    "Bogotá",
    "Boston",
    "București",
    "Chicago",
    "Cork",
    "Dallas",
    "Denver",
    "Dublin",
    "Genève",
    "Gdańsk",
    "Göteborg",
    "Hamburg",
    "Helsinki",
    "Kobe",
    "Köln",
    "Lagos",
    "Leeds",
    "Lima",
    "Lisboa",
    "Lyon",
    "Malmö",
    "Milano",
    "Montréal",
    "München",
    "Nairobi",
    "Oslo",
    "Porto",
    "Praha",
    "Reno",
    "Riga",
    "Santiago",
    "São Paulo",
    "Tallinn",
    "Wien",
    "Zürich",
];
const ROOM: [&str; 16] = [
    "Accounts",
    "Archive",
    "Branch",
    "Canteen",
    "Data centre",
    "Factory",
    "Front office",
    "Laboratory",
    "Line",
    "Office",
    "Sandbox",
    "Showroom",
    "Store",
    "Terminal",
    "Warehouse",
    "Workshop",
];
const REGION: [&str; 12] = [
    "Customers EMEA",
    "Customers Americas",
    "Customers APAC",
    "Nordics",
    "Iberia",
    "DACH",
    "Benelux",
    "UK and Ireland",
    "Gulf",
    "Southern Africa",
    "Canada",
    "Oceania",
];
const GIVEN: [&str; 32] = [
    "Aino", "Amara", "Anna", "Aoife", "Bruno", "Carla", "Chidi", "Conrad", "Daniel", "Elif", "Emil", "Fatima", "Greta",
    "Hana", "Ines", "Jonas", "Kofi", "Lena", "Luis", "Mei", "Mira", "Nadia", "Noor", "Olu", "Paula", "Ravi", "Sanna",
    "Tomás", "Uma", "Viktor", "Yuki", "Zoë",
];
const FAMILY: [&str; 32] = [
    "Albrecht",
    "Andersson",
    "Byrne",
    "Castillo",
    "Cohen",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Hansen",
    "Ito",
    "Jansen",
    "Kaya",
    "Kowalski",
    "Laine",
    "Lindqvist",
    "Marino",
    "Mensah",
    "Moreau",
    "Novak",
    "Okafor",
    "Patel",
    "Pereira",
    "Rivera",
    "Rossi",
    "Sato",
    "Silva",
    "Tanaka",
    "Virtanen",
    "Weber",
    "Yilmaz",
];

fn one_of<'a>(words: &[&'a str], rng: &mut StdRng) -> &'a str {
    words[rng.random_range(0..words.len())]
}

/// A customer, with a town so that a list of 100,000 has few of one name.
pub fn company(rng: &mut StdRng) -> String {
    let (first, trade) = (one_of(&FIRST, rng), one_of(&TRADE, rng));
    format!("{first} {trade} {} {}", one_of(&FORM, rng), one_of(&CITY, rng))
}

pub fn provider(rng: &mut StdRng) -> String {
    format!("{} Managed Services", one_of(&FIRST, rng))
}

pub fn region(n: usize) -> String {
    REGION[n % REGION.len()].to_owned()
}

/// A part of a customer, so many levels below it.
pub fn place(level: u32, rng: &mut StdRng) -> String {
    match level {
        0 => one_of(&CITY, rng).to_owned(),
        1 => one_of(&ROOM, rng).to_owned(),
        _ => format!("{} {}", one_of(&ROOM, rng), rng.random_range(1..40)),
    }
}

/// Given and family name.
pub fn person(rng: &mut StdRng) -> (&'static str, &'static str) {
    (one_of(&GIVEN, rng), one_of(&FAMILY, rng))
}

pub fn city(rng: &mut StdRng) -> &'static str {
    one_of(&CITY, rng)
}
