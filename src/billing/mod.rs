use crate::access::Frame;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::route::Route;
use std::collections::HashMap;
pub struct Payer;
impl Payer {
    pub fn pays(&self) -> bool {
        false
    }
    pub fn words(&self, _: &Frame) -> String {
        String::new()
    }
}
pub fn payers(_: &mut Db, _: &[Key]) -> Result<HashMap<Key, Payer>, Problem> {
    Ok(HashMap::new())
}
pub fn routes() -> Vec<Route> {
    Vec::new()
}
