use crate::access::Origin;
use crate::ids::Key;
use crate::problem::Problem;
use crate::store::Db;
use crate::web::route::Route;

pub fn routes() -> Vec<Route> {
    Vec::new()
}
pub fn open_root(_db: &mut Db, _user: Key, _origin: &Origin, _name: &str) -> Result<String, Problem> {
    todo!()
}
