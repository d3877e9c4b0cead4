use crate::access::{Grant, policy::UpdateAccounts};
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::route::Route;
use std::collections::HashMap;
pub struct Document {
    pub key: Key,
    pub title: String,
    pub version: i64,
}
impl Document {
    pub fn path(&self) -> String {
        String::new()
    }
}
pub struct State;
impl State {
    pub fn is_accepted(&self) -> bool {
        false
    }
    pub fn words(&self) -> String {
        String::new()
    }
}
pub fn in_force(_: &mut Db) -> Result<Vec<Document>, Problem> {
    Ok(vec![])
}
pub fn accept(_: &mut Db, _: &Grant<UpdateAccounts>, _: &[Key]) -> Result<(), Problem> {
    Ok(())
}
pub fn states(_: &mut Db, _: &[Key]) -> Result<HashMap<Key, State>, Problem> {
    Ok(HashMap::new())
}
pub fn routes() -> Vec<Route> {
    Vec::new()
}
pub fn install_first_versions(_: &mut Db) -> Result<(), Problem> {
    Ok(())
}
