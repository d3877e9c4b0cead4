//! The files of a catalogue: what their lines say, each right in itself. Every complaint names file and line.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::{CONNECTION_SPEEDS, KINDS, PORT_SPEEDS, Terms};

/// The largest file, in bytes.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// What a file is called, and its first line.
pub struct Kind {
    pub name: &'static str,
    pub head: &'static str,
}

pub const LOCATIONS: Kind = Kind { name: "locations.csv", head: "id,name,latitude,longitude" };
pub const FACILITIES: Kind =
    Kind { name: "facilities.csv", head: "id,location,name,vendor,street,city,region,postal_code,country,state" };
pub const REGIONS: Kind = Kind { name: "cloud-regions.csv", head: "id,provider,name,provider_id" };
pub const PORTS: Kind = Kind {
    name: "supported-ports.csv",
    head: "facility,provider,speed,availability_domains,media_types,price_monthly,price_one_year,price_two_year",
};
pub const CONNECTIONS: Kind = Kind {
    name: "supported-connections.csv",
    head: "id,type,location,speed,high_availability,peering,cloud_regions,requires_approval,pending,price_monthly,price_one_year,price_two_year",
};

/// All that the files say.
#[derive(Debug, Default)]
pub struct Files {
    pub locations: Vec<Place>,
    pub facilities: Vec<House>,
    pub regions: Vec<Region>,
    pub ports: Vec<PortLine>,
    pub connections: Vec<ConnectionLine>,
}

#[derive(Debug)]
pub struct Place {
    pub id: String,
    pub name: String,
    pub latitude_e6: i64,
    pub longitude_e6: i64,
}

#[derive(Debug)]
pub struct House {
    pub at: At,
    pub id: String,
    pub location: String,
    /// Name, vendor, street, city, region, postal code, country.
    pub words: [String; 7],
    pub state: String,
}

#[derive(Debug)]
pub struct Region {
    pub id: String,
    pub provider: String,
    pub name: String,
    pub provider_id: String,
}

#[derive(Debug)]
pub struct PortLine {
    pub at: At,
    pub facility: String,
    pub provider: String,
    pub speed: i64,
    pub domains: String,
    pub media_types: String,
    pub prices: Terms,
}

#[derive(Debug)]
pub struct ConnectionLine {
    pub at: At,
    pub id: String,
    pub kind: String,
    pub location: String,
    pub speed: i64,
    pub high_availability: bool,
    pub peering: String,
    pub regions: String,
    pub requires_approval: bool,
    pub pending: bool,
    pub prices: Terms,
}

/// "locations.csv, line 3"
pub type At = String;

/// The lines of one file, cell by cell.
struct Sheet<'a> {
    kind: &'a Kind,
    wrong: &'a mut Vec<String>,
}

impl Sheet<'_> {
    fn lines(&mut self, bytes: &[u8]) -> Vec<(At, Vec<String>)> {
        let name = self.kind.name;
        let Ok(text) = std::str::from_utf8(bytes) else {
            self.wrong.push(format!("{name} is not text in UTF-8"));
            return Vec::new();
        };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .trim(csv::Trim::All)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let (mut lines, mut is_head) = (Vec::new(), true);
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    self.wrong.push(format!("{name} cannot be read: {error}"));
                    break;
                }
            };
            let at = format!("{name}, line {}", record.position().map_or(0, csv::Position::line));
            if std::mem::take(&mut is_head) {
                if !record.iter().eq(self.kind.head.split(',')) {
                    self.wrong.push(format!("{at}: the first line must be “{}”", self.kind.head));
                    break;
                }
                continue;
            }
            let cells = self.kind.head.split(',').count();
            if record.len() == cells {
                lines.push((at, record.iter().map(str::to_owned).collect()));
            } else {
                self.wrong.push(format!("{at}: there are {} values; it must be {cells}", record.len()));
            }
        }
        lines
    }
}

const MEDIA: [&str; 8] = ["SMF", "MMF", "LX", "LR", "LR4", "SX", "SR", "SR4"];

/// Reads the files by their names; answers what they say, or everything that is wrong with them.
pub fn read(file: impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<Files, Vec<String>> {
    let mut wrong = Vec::new();
    let mut files = Files::default();
    for kind in [&LOCATIONS, &FACILITIES, &REGIONS, &PORTS, &CONNECTIONS] {
        let bytes = match file(kind.name) {
            Ok(bytes) if bytes.len() > LARGEST => {
                wrong.push(format!("{} is larger than {} MB", kind.name, LARGEST / 1024 / 1024));
                continue;
            }
            Ok(bytes) => bytes,
            Err(why) => {
                wrong.push(why);
                continue;
            }
        };
        let lines = Sheet { kind, wrong: &mut wrong }.lines(&bytes);
        if lines.is_empty() && wrong.is_empty() {
            wrong.push(format!("{} has no lines", kind.name));
        }
        let mut seen: BTreeMap<String, At> = BTreeMap::new();
        for (at, cells) in lines {
            let id = files.add(kind, &at, &cells, &mut wrong);
            if let Some(first) = seen.insert(id.clone(), at.clone()) {
                wrong.push(format!("{at}: {id} is there already, in {first}"));
            }
        }
    }
    if wrong.is_empty() { Ok(files) } else { Err(wrong) }
}

impl Files {
    /// Takes a line in; answers what makes it the only one of its kind.
    fn add(&mut self, kind: &Kind, at: &str, cells: &[String], wrong: &mut Vec<String>) -> String {
        let mut check = Cells { at, wrong };
        match kind.name {
            name if name == LOCATIONS.name => {
                self.locations.push(place(&mut check, cells));
                cells[0].clone()
            }
            name if name == FACILITIES.name => {
                self.facilities.push(house(&mut check, cells));
                cells[0].clone()
            }
            name if name == REGIONS.name => {
                self.regions.push(region(&mut check, cells));
                cells[0].clone()
            }
            name if name == PORTS.name => {
                self.ports.push(port_line(&mut check, cells));
                cells[..3].join(" ")
            }
            _ => {
                self.connections.push(connection_line(&mut check, cells));
                cells[0].clone()
            }
        }
    }
}

fn place(check: &mut Cells, cells: &[String]) -> Place {
    Place {
        id: check.id("id", &cells[0]),
        name: check.line("name", &cells[1], 1, 64),
        latitude_e6: check.degrees("latitude", &cells[2], 90.0),
        longitude_e6: check.degrees("longitude", &cells[3], 180.0),
    }
}

fn house(check: &mut Cells, cells: &[String]) -> House {
    const NAMES: [(&str, usize, usize); 7] = [
        ("name", 1, 64),
        ("vendor", 1, 64),
        ("street", 0, 128),
        ("city", 1, 64),
        ("region", 0, 64),
        ("postal_code", 0, 16),
        ("country", 1, 64),
    ];
    let mut words = <[String; 7]>::default();
    for (n, (name, least, most)) in NAMES.into_iter().enumerate() {
        words[n] = check.line(name, &cells[n + 2], least, most);
    }
    House {
        at: check.at.to_owned(),
        id: check.id("id", &cells[0]),
        location: cells[1].clone(),
        words,
        state: check.one_of("state", &cells[9], &["ACTIVE", "UNAVAILABLE", "DELETED"]),
    }
}

fn region(check: &mut Cells, cells: &[String]) -> Region {
    Region {
        id: check.id("id", &cells[0]),
        provider: check.one_of("provider", &cells[1], &["AWS", "AZURE", "GOOGLE_CLOUD", "ORACLE", "PACKET_FABRIC"]),
        name: check.line("name", &cells[2], 1, 64),
        provider_id: check.line("provider_id", &cells[3], 1, 64),
    }
}

fn port_line(check: &mut Cells, cells: &[String]) -> PortLine {
    PortLine {
        at: check.at.to_owned(),
        facility: cells[0].clone(),
        provider: check.one_of("provider", &cells[1], &["PUREPORT", "PACKET_FABRIC"]),
        speed: check.speed(&cells[2], &PORT_SPEEDS),
        domains: check.some_of("availability_domains", &cells[3], &["PRIMARY", "SECONDARY"]),
        media_types: check.some_of("media_types", &cells[4], &MEDIA),
        prices: check.prices(&cells[5..8]),
    }
}

fn connection_line(check: &mut Cells, cells: &[String]) -> ConnectionLine {
    ConnectionLine {
        at: check.at.to_owned(),
        id: check.id("id", &cells[0]),
        kind: check.one_of("type", &cells[1], &KINDS),
        location: cells[2].clone(),
        speed: check.speed(&cells[3], &CONNECTION_SPEEDS),
        high_availability: check.yes("high_availability", &cells[4]),
        peering: check.one_of("peering", &cells[5], &["PUBLIC", "PRIVATE", "TRANSIT"]),
        regions: cells[6].split_whitespace().collect::<Vec<_>>().join(" "),
        requires_approval: check.yes("requires_approval", &cells[7]),
        pending: check.yes("pending", &cells[8]),
        prices: check.prices(&cells[9..12]),
    }
}
