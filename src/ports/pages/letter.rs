//! The letter of authorization: who may have a cable brought to the port, and where it is.

use actix_web::HttpResponse;
use actix_web::web::Path;

use super::show::{self, Place, customer};
use super::view;
use crate::access::In;
use crate::access::policy::ReadPorts;
use crate::ids;
use crate::ledger::sheet::{Cell, Sheet};
use crate::ports::state::State;
use crate::ports::store::{self, Port};
use crate::problem::Problem;
use crate::store::Db;
use crate::text;
use crate::web::when::When;
use crate::web::{Site, csv, shell};

/// GET /a/{account}/ports/{port}/letter.pdf
pub async fn file(by: In<ReadPorts>, site: Site, path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (account, id) = (by.account().key, path.1.clone());
    let read = move |db: &mut Db| {
        let port = store::find(db, account, &id)?;
        let place = show::place(db, &port)?;
        Ok((port, place))
    };
    let (port, place) = site.pool.read(read).await?;
    if port.state == State::Deleted {
        return Err(Problem::NotFound);
    }
    let (name, account) = (format!("Letter of authorization {}.pdf", port.name), by.account().name.clone());
    let bytes =
        actix_web::web::block(move || draw(&port, &place, &account)).await.map_err(|e| Problem::Bug(e.into()))??;
    Ok(csv::download(&name, "application/pdf", bytes))
}

fn draw(port: &Port, place: &Place, account: &str) -> Result<Vec<u8>, Problem> {
    let mut sheet = Sheet::new("Letter of authorization", shell::PRODUCT)?;
    sheet.heading("Letter of authorization");
    let customer = customer(port, account);
    sheet.fact("Date", &When::day(ids::now()).words);
    sheet.fact("Customer", &customer);
    if customer != account {
        sheet.fact("Account", account);
    }
    sheet.fact("Port", &port.name);
    sheet.fact("Port id", &port.id);
    sheet.gap(12.0);
    let lines = [
        "To the operator of the facility named below:",
        "The customer named above, or who acts in its name, is authorized to order and to have installed",
        "one cross connect to the port described below. All charges of the facility for it are the customer's.",
    ];
    for line in lines {
        sheet.row(false, &[Cell::left(0.0, 1.0, line)]);
    }
    sheet.gap(12.0);
    let known = |value: &str| if value.is_empty() { "Not assigned yet".to_owned() } else { value.to_owned() };
    let part = |sheet: &mut Sheet, heading: &str, facts: &[(&str, String)]| {
        sheet.row(true, &[Cell::left(0.0, 1.0, heading)]);
        sheet.rule();
        for (label, value) in facts {
            sheet.fact(label, value);
        }
        sheet.gap(12.0);
    };
    let facility =
        [("Facility", place.name.clone()), ("Address", place.address.clone()), ("Location", place.location.clone())];
    part(&mut sheet, "Where", &facility);
    let demarcation = [
        ("Device", known(&port.device_id)),
        ("Interface", known(&port.interface_id)),
        ("Patch panel", known(&port.patch_panel_id)),
        ("Speed", text::speed(port.speed)),
        ("Media", port.media_type.clone()),
        ("Domain", view::domain(&port.availability_domain).to_owned()),
    ];
    part(&mut sheet, "Demarcation", &demarcation);
    if port.state == State::Requested {
        let line = "This port is ordered and not active yet. Use the letter once the patch panel is named in it.";
        sheet.row(true, &[Cell::left(0.0, 1.0, line)]);
    } else {
        sheet.row(false, &[Cell::left(0.0, 1.0, "This letter is valid for 90 days from its date.")]);
    }
    sheet.finish()
}
